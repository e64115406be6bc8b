/** What Codex says of itself: asked of the running service, or of a Codex started for the purpose. No model is asked anything. */
import { setTimeout as delay } from "node:timers/promises";
import { CodexNativeApiError } from "../../errors.js";
import type { CliContext } from "../cli-context.js";
import type { LoadedConfig } from "../configured.js";
import {
  type AccountFacts,
  accountOf,
  type WindowFacts,
  windowsOf,
  windowsOfLimits,
} from "../describe-account.js";
import { orInterrupted } from "../interruption.js";
import { createPrivateLogger } from "../private-logger.js";
import type { PrivateRuntime } from "../private-runtime.js";
import type { ServiceReport } from "../service-report.js";

export interface CodexFacts {
  readonly toldBy: "service" | "codex";
  readonly codexVersion: string | null;
  /** Why turns cannot run; null while they can. */
  readonly reason: { readonly code: string; readonly message: string } | null;
  readonly account: AccountFacts | null;
  readonly windows: readonly WindowFacts[];
  readonly degraded: readonly string[];
}

/** Plan limits come a moment after readiness, and not at all for logins without a plan. */
const limitsTimeoutMs = 5_000;
const limitsPollMs = 50;

export function factsOfService(report: ServiceReport): CodexFacts {
  const { reason, degraded, codex_version: codexVersion } = report.native_runtime;
  const [account, windows] = [accountOf(report), windowsOf(report)];
  return { toldBy: "service", codexVersion, reason, account, windows, degraded };
}

/** Starts what `serve` would start, up to the handshake and the login, and stops it. Null when interrupted. */
export async function askCodex(
  context: CliContext,
  loaded: LoadedConfig,
  signal: AbortSignal,
): Promise<CodexFacts | null> {
  const runtime = await context.createRuntime(loaded.config, createPrivateLogger(context, loaded));
  try {
    const readiness = await orInterrupted(runtime.start(), signal);
    if (readiness === "interrupted") return null;
    if (readiness.ready) await untilLimitsAreKnown(runtime, signal);
    if (signal.aborted) return null;
    return factsOfRuntime(runtime);
  } catch (error) {
    const { code, message } = CodexNativeApiError.fromUnknown(error);
    const nothing = { codexVersion: null, account: null, windows: [], degraded: [] };
    return { toldBy: "codex", reason: { code, message }, ...nothing };
  } finally {
    await runtime.destroy();
  }
}

async function untilLimitsAreKnown(runtime: PrivateRuntime, signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; waitedMs < limitsTimeoutMs; waitedMs += limitsPollMs) {
    const { account, rateLimits } = runtime.health();
    if (account?.authMode !== "chatgpt" || rateLimits !== null) return;
    await delay(limitsPollMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
  }
}

function factsOfRuntime(runtime: PrivateRuntime): CodexFacts {
  const { readiness, codexVersion, account, rateLimits, degraded } = runtime.health();
  const reason = readiness.ready ? null : readiness.error;
  return { toldBy: "codex", codexVersion, reason, account, windows: windowsOfLimits(rateLimits), degraded };
}
