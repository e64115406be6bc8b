import type { AppServerEndpoint } from "../contract/endpoint.js";
import { limits } from "../contract/limits.js";
import { connectionLimits } from "./connection-limits.js";
import { BadAnswerError } from "./errors.js";
import { JsonRpcClient, type JsonRpcClientOptions } from "./json-rpc-client.js";
import { optOutNotifications } from "./opt-out-notifications.js";
import type { CallOptions } from "./pending-calls.js";
import { type MethodName, type MethodParams, type MethodResult, methods } from "./protocol.js";
import { StdioTransport } from "./stdio-transport.js";
import type { Transport } from "./transport.js";
import { WebSocketTransport } from "./websocket-transport.js";

export interface OpenSessionOptions {
  readonly rpc: JsonRpcClientOptions;
  readonly clientName: string;
  readonly clientVersion: string;
  readonly signal: AbortSignal;
}

/** A wire after its handshake. */
export interface Session {
  readonly client: JsonRpcClient;
  /** Null when the app-server's user agent names no version. */
  readonly codexVersion: string | null;
}

/** Opens the wire and shakes hands. When that fails, the wire is released before this rejects. */
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

export interface MethodCallOptions<Method extends MethodName> extends Omit<CallOptions, "onLateResult"> {
  /** Receives a result that comes after the deadline or the abort, to release what the call created. */
  readonly onLateResult?: (result: MethodResult<Method>) => void;
}

/** Calls a method we know and checks its answer. Throws what `JsonRpcClient.call` throws, and `BadAnswerError`. */
export async function callMethod<Method extends MethodName>(
  client: JsonRpcClient,
  method: Method,
  params: MethodParams<Method>,
  { onLateResult, ...options }: MethodCallOptions<Method>,
): Promise<MethodResult<Method>> {
  const read = (answer: unknown): MethodResult<Method> => {
    const parsed = methods[method].result.safeParse(answer);
    if (!parsed.success) {
      throw new BadAnswerError(`the answer to ${method} could not be read`, { cause: parsed.error });
    }
    // The schema was looked up by this very method; TypeScript cannot pair the two in a union.
    return parsed.data as MethodResult<Method>;
  };
  const lateOptions = onLateResult && { onLateResult: (answer: unknown) => onLateResult(read(answer)) };
  return read(await client.call(method, params, { ...options, ...lateOptions }));
}

export type CreateTransport = (
  endpoint: AppServerEndpoint,
  onChild: (pid: number | null) => void,
) => Transport;

/** The wire for an endpoint. */
export const createTransport: CreateTransport = (endpoint, onChild) =>
  endpoint.kind === "stdio"
    ? new StdioTransport({ ...limits, ...connectionLimits, spec: endpoint.spawn, onChild })
    : new WebSocketTransport({
        ...connectionLimits,
        target: endpoint.kind === "unix" ? { socketPath: endpoint.socketPath } : { url: endpoint.url },
        maxReceivedBytes: limits.maxMessageBytes,
      });
