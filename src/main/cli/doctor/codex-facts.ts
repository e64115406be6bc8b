/** What Codex says of itself: asked of the running service, or of a Codex started for the purpose. No model is asked anything. */
import { setTimeout as delay } from "node:timers/promises";
import { CodexNativeApiError } from "../../errors.js";
import type { CliContext } from "../cli-context.js";
import type { LoadedConfig } from "../configured.js";
import {
  type AccountFacts,
  accountOf,
  describeAccount,
  describeWindow,
  type WindowFacts,
  windowsOf,
  windowsOfLimits,
} from "../describe-account.js";
import { withPrivateRuntime } from "../interruption.js";
import type { PrivateRuntime } from "../private-runtime.js";
import type { ServiceReport } from "../service-report.js";
import { type Finding, fail, ok, warn } from "./finding.js";

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
  try {
    return await withPrivateRuntime(context, loaded, signal, async (runtime, readiness) => {
      if (readiness.ready) await untilLimitsAreKnown(runtime, signal);
      return signal.aborted ? null : factsOfRuntime(runtime);
    });
  } catch (error) {
    const { code, message } = CodexNativeApiError.fromUnknown(error);
    const nothing = { codexVersion: null, account: null, windows: [], degraded: [] };
    return { toldBy: "codex", reason: { code, message }, ...nothing };
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

/** From here on a window is worth a word. */
const almostUsedUpPercent = 90;

/** Handshake, login and plan, from what Codex said. */
export function judgeCodex(facts: CodexFacts, nowMs: number): readonly Finding[] {
  const shaken = judgeHandshake(facts);
  if (shaken.status === "fail") return [shaken];
  return [shaken, judgeLogin(facts), ...judgePlan(facts, nowMs), ...judgeDegraded(facts)];
}

function judgeHandshake({ reason, codexVersion, toldBy }: CodexFacts): Finding {
  const check = "handshake";
  if (reason !== null && reason.code !== "native_login_required")
    return fail(
      check,
      reason.message,
      "`--log-level debug` shows what Codex says; `codex app-server` must run",
    );
  const who = `the app-server of Codex ${codexVersion ?? "(unknown version)"}`;
  return ok(check, toldBy === "service" ? `the running service is connected to ${who}` : `${who} answered`);
}

function judgeLogin({ account, reason }: CodexFacts): Finding {
  if (account !== null && reason === null) return ok("login", describeAccount(account));
  return fail("login", "nobody is logged in", "codex-native-api login");
}

function judgePlan({ account, windows }: CodexFacts, nowMs: number): readonly Finding[] {
  if (account?.authMode !== "chatgpt") return [];
  if (windows.length === 0) return [ok("plan", "Codex names no limits")];
  return windows.map((window) => judgeWindow(window, nowMs));
}

function judgeWindow(window: WindowFacts, nowMs: number): Finding {
  const found = describeWindow(window, nowMs);
  if (window.usedPercent >= 100) return fail("plan", found, "wait for the reset, or change the plan");
  if (window.usedPercent >= almostUsedUpPercent)
    return warn("plan", found, "little is left; turns end with usage_limit_reached when it is used up");
  return ok("plan", found);
}

function judgeDegraded({ degraded }: CodexFacts): readonly Finding[] {
  // Not for a lack of this Codex's: it has a finding of its own.
  const missing = degraded.filter((name) => name !== "shared_app_server");
  if (missing.length === 0) return [];
  return [warn("features", `goes without ${missing.join(", ")}`, "a newer Codex, or see docs/operations.md")];
}
