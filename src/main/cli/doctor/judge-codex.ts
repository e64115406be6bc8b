import { describeAccount, describeWindow, type WindowFacts } from "../describe-account.js";
import type { CodexFacts } from "./codex-facts.js";
import { type Finding, fail, ok, warn } from "./finding.js";

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
