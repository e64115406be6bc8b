import { callMethod } from "./call-method.js";
import { connectionLimits } from "./connection-limits.js";
import type { JsonRpcClientOptions } from "./json-rpc-client.js";
import { JsonRpcClient } from "./json-rpc-client.js";
import { optOutNotifications } from "./opt-out-notifications.js";

export interface OpenSessionOptions {
  readonly rpc: JsonRpcClientOptions;
  readonly clientName: string;
  readonly clientVersion: string;
  readonly signal: AbortSignal;
}

/** A wire whose handshake is done. */
export interface Session {
  readonly client: JsonRpcClient;
  /** Null when the app-server's user agent names none. */
  readonly codexVersion: string | null;
}

/** Opens the wire and shakes hands. When that fails, nothing of the wire is left by the time this rejects. */
export async function openSession({
  rpc,
  clientName,
  clientVersion,
  signal,
}: OpenSessionOptions): Promise<Session> {
  const client = new JsonRpcClient(rpc);
  await client.start({ openTimeoutMs: connectionLimits.openTimeoutMs, signal });
  try {
    const { userAgent } = await callMethod(
      client,
      "initialize",
      {
        clientInfo: { name: clientName, title: clientName, version: clientVersion },
        capabilities: {
          experimentalApi: true,
          requestAttestation: false,
          optOutNotificationMethods: optOutNotifications,
        },
      },
      { timeoutMs: connectionLimits.handshakeTimeoutMs, signal },
    );
    await client.notify("initialized", {});
    return { client, codexVersion: readCodexVersion(userAgent) };
  } catch (error) {
    await client.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

/** The app-server puts our name before its version: `codex-native-api/0.169.0 (Debian 12.0.0; x86_64) …`. */
export function readCodexVersion(userAgent: string): string | null {
  return /\/(\d+\.\d+\.\d+\S*)/.exec(userAgent)?.[1] ?? null;
}
