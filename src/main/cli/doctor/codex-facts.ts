/** The state of Codex, from the running service or from a Codex started for the check. Asks no model. */
import { setTimeout as delay } from "node:timers/promises";
import { CodexNativeApiError } from "../../errors.js";
import type { Readiness } from "../../runtime/types.js";
import {
  type AccountFacts,
  describeAccount,
  describeWindow,
  type WindowFacts,
  windowsOf,
} from "../describe-account.js";
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
  /** Faults of the configured aliases of models, each in a sentence. */
  readonly aliasFaults: readonly string[];
  /** False: a provider of the user's own serves models that no catalog lists. */
  readonly isCatalogChecked: boolean;
}

/** Rate limits arrive a moment after readiness, and never for logins without a plan. */
const limitsTimeoutMs = 5_000;
const limitsPollMs = 50;

export function factsOfService(report: ServiceReport): CodexFacts {
  const {
    reason,
    degraded,
    account,
    codex_version: codexVersion,
    rate_limits: limits,
    model_names: names,
  } = report.native_runtime;
  return {
    toldBy: "service",
    codexVersion,
    reason,
    account,
    windows: windowsOf(limits),
    degraded,
    aliasFaults: faultsOf(names?.aliases ?? []),
    isCatalogChecked: names?.catalog_checked !== false,
  };
}

/** Of a Codex that was started for the check. Null when the signal aborts first. */
export async function askCodex(
  runtime: PrivateRuntime,
  readiness: Readiness,
  signal: AbortSignal,
): Promise<CodexFacts | null> {
  if (readiness.ready) await untilLimitsAreKnown(runtime, signal);
  return signal.aborted ? null : factsOfRuntime(runtime);
}

/** Of a Codex that could not be started. */
export function factsOfFailedStart(error: unknown): CodexFacts {
  const { code, message } = CodexNativeApiError.fromUnknown(error);
  const nothing = { codexVersion: null, account: null, windows: [], degraded: [] };
  const names = { aliasFaults: [], isCatalogChecked: true };
  return { toldBy: "codex", reason: { code, message }, ...nothing, ...names };
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
  const { readiness, codexVersion, account, rateLimits, degraded, aliases = [], catalog } = runtime.health();
  return {
    toldBy: "codex",
    codexVersion,
    reason: readiness.ready ? null : readiness.error,
    account,
    windows: windowsOf(rateLimits),
    degraded,
    aliasFaults: faultsOf(aliases),
    isCatalogChecked: catalog?.isChecked !== false,
  };
}

function faultsOf(
  aliases: readonly { readonly name: string; readonly problem: string | null }[],
): readonly string[] {
  return aliases.flatMap(({ name, problem }) => (problem === null ? [] : [`${name}: ${problem}`]));
}

/** From here on the doctor warns. */
const almostUsedUpPercent = 90;

/** Judges handshake, login and plan. */
export function judgeCodex(facts: CodexFacts, nowMs: number): readonly Finding[] {
  const shaken = judgeHandshake(facts);
  if (shaken.status === "fail") return [shaken];
  return [
    shaken,
    judgeLogin(facts),
    ...judgePlan(facts, nowMs),
    ...judgeDegraded(facts),
    ...judgeNames(facts),
  ];
}

function judgeHandshake({ reason, codexVersion, toldBy }: CodexFacts): Finding {
  const check = "handshake";
  if (reason !== null && reason.code !== "native_login_required")
    return fail(
      check,
      reason.message,
      "`--log-level debug` shows Codex's output; `codex app-server` must run",
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
    return warn("plan", found, "little is left; once it is used up, turns end with usage_limit_reached");
  return ok("plan", found);
}

function judgeDegraded({ degraded }: CodexFacts): readonly Finding[] {
  // Without a shared app-server Codex lacks nothing; that has its own finding.
  const missing = degraded.filter((name) => name !== "shared_app_server");
  if (missing.length === 0) return [];
  return [warn("features", `goes without ${missing.join(", ")}`, "update Codex, or see docs/operations.md")];
}

function judgeNames({ aliasFaults, isCatalogChecked }: CodexFacts): readonly Finding[] {
  const check = "models";
  const advice = "`codex-native-api models` lists what there is; correct models.aliases";
  return [
    ...aliasFaults.map((fault) => warn(check, fault, advice)),
    ...(isCatalogChecked
      ? []
      : [ok(check, "your own model provider's catalog cannot be read: names are passed on unchecked")]),
  ];
}
