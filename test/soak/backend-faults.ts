/** What a backend or a model does badly: limits, overload, plans that are used up, silence, and answers that are none. */
import { type CodexNativeApiErrorCode, errorKinds } from "../../src/main/errors.js";
import {
  contextLengthExceeded,
  cutConnection,
  functionCall,
  hangUp,
  httpError,
  incomplete,
  lastEvent,
  type Reply,
  refusal,
  resetConnection,
  responseFailed,
  silent,
  streamError,
  text,
  usedUpFor,
} from "../support/offline-backend/index.js";
import type { BadCaller } from "./bad-callers.js";
import { askInTurn, askOnce, untilServed } from "./one-shot-callers.js";
import type { Phase } from "./phase.js";
import { pause, type ServiceProcess } from "./service-process.js";

const silentQuestion = "Think for long.";
const failed = (code: string) => responseFailed({ code, message: "No." });
/** Over HTTP with its status; in a stream that has begun, without. */
const endsWith = (code: CodexNativeApiErrorCode) =>
  new RegExp(`^(${errorKinds[code].status} )?${code}, ${errorKinds[code].retryable ? "" : "no "}retry$`);

interface BadAnswer {
  readonly reply: Reply;
  readonly outcome: RegExp;
  /** The time that its caller gives it. Default: none. */
  readonly callerTimeMs?: number;
}

/** What a model answers to a question of this name, and what its caller gets; for a stream that has shown output, behind `cut: `. */
const answers: Readonly<Record<string, BadAnswer>> = {
  "too long": { reply: contextLengthExceeded(), outcome: endsWith("context_length_exceeded") },
  "a refusal": { reply: refusal("No."), outcome: /^answered$/ },
  "cut off": {
    reply: incomplete({ reason: "max_output_tokens", text: "And then" }),
    outcome: /^answered as incomplete$|^a stream that ends with response.incomplete$/,
  },
  "arguments that are no JSON": {
    reply: functionCall({ name: "weather", arguments: '{"city":' }),
    // Codex asks nobody about it, and the model has said nothing else.
    outcome: endsWith("turn_stalled"),
  },
  // Over a WebSocket that stays open, nothing tells it from a model that thinks: the caller's own time ends it.
  "an event that nobody knows": {
    reply: lastEvent({ type: "response.unheard_of", odd: [null, 1e300, ""] }),
    outcome: endsWith("turn_timeout"),
    callerTimeMs: 8_000,
  },
  "a page of HTML": {
    reply: httpError(500, { bodyText: "<html><body>Bad gateway</body></html>" }),
    outcome: endsWith("upstream_connection_failed"),
  },
  forbidden: { reply: httpError(403), outcome: endsWith("upstream_forbidden") },
  // Codex names no kind for it.
  "a policy": { reply: failed("content_policy_violation"), outcome: endsWith("upstream_bad_request") },
  "an error in the stream": {
    reply: streamError({ code: "server_error", message: "Oh." }),
    outcome: endsWith("turn_timeout"),
    callerTimeMs: 8_000,
  },
  "a stream that breaks": {
    reply: cutConnection({ afterDeltas: 2 }),
    outcome: /^(cut: |502 )upstream_connection_failed, retry$/,
  },
  "no answer": { reply: resetConnection(), outcome: endsWith("upstream_connection_failed") },
  "a closed connection": { reply: hangUp(), outcome: endsWith("upstream_connection_failed") },
};

/** What the model says to a question of this file; null: it is of another. */
export function answerBadly(question: string): Reply | null {
  if (question.startsWith(silentQuestion)) return silent(8_000, text("thought through"));
  return answers[question.replace(/^Answer with: /, "")]?.reply ?? null;
}

const served = [/^answered$/, /^served again$/];

export function listBackendPhases(service: ServiceProcess): readonly Phase[] {
  return [
    {
      name: "model that answers badly",
      seconds: 26,
      maxWaitMs: 20_000,
      run: askForBadAnswers,
      outcomes: [/^as it should$/],
    },
    {
      name: "model that is silent",
      seconds: 14,
      maxWaitMs: 20_000,
      run: askTheSilent,
      outcomes: [...served, /^504 turn_timeout, no retry$/],
    },
    {
      name: "account that takes three turns at once",
      seconds: 14,
      maxWaitMs: 40_000,
      run: limit(service, { streams: 3, retryAfterSeconds: 1 }, 10_000, 24),
      lawful: [{ shown: "refused, rate_limit_exceeded", code: "rate_limit_exceeded", of: "any" }],
      outcomes: [...served, /^429 rate_limit_exceeded, retry$/],
    },
    {
      name: "backend overloaded",
      seconds: 14,
      maxWaitMs: 40_000,
      run: limit(service, { overloaded: true, retryAfterSeconds: 1 }, 6_000, 4),
      lawful: [{ shown: "refused, server_overloaded", code: "server_overloaded", of: "any" }],
      outcomes: [...served, /^503 server_overloaded, retry$/],
    },
    {
      name: "plan used up",
      seconds: 18,
      maxWaitMs: 40_000,
      run: useUpPlan(service),
      lawful: [{ shown: "refused, usage_limit_reached", code: "usage_limit_reached", of: "any" }],
      outcomes: [...served, /^429 usage_limit_reached, no retry$/],
    },
  ];
}

/** Each answer once to a reader of a stream and once to a caller that waits for the whole. */
const askForBadAnswers: BadCaller = async (context, signal) => {
  const quiet = { ...context, count: () => {} };
  const caller = async ([name, { outcome, callerTimeMs }]: (typeof entries)[number], index: number) => {
    const headers: Readonly<Record<string, string>> =
      callerTimeMs === undefined ? {} : { "x-request-timeout-ms": String(callerTimeMs) };
    for (let turn = index; !signal.aborted; turn += 1) {
      const shot = { input: `Answer with: ${name}`, isStream: turn % 2 === 0, headers };
      const got = await askOnce(quiet, shot);
      context.count(outcome.test(got) ? "as it should" : `${name}: ${got}`);
      await pause(2_000);
    }
  };
  const entries = Object.entries(answers);
  await Promise.all(entries.map(caller));
};

/** Some wait, and some have no time to. */
const askTheSilent: BadCaller = async (context, signal) => {
  await Promise.all([
    askInTurn(context, signal, { input: silentQuestion }),
    askInTurn(context, signal, { input: silentQuestion, headers: { "x-request-timeout-ms": "2000" } }),
  ]);
  await untilServed(context, signal);
};

function limit(
  { backend }: ServiceProcess,
  settings: Parameters<ServiceProcess["backend"]["setAccountLimits"]>[0],
  ms: number,
  callers: number,
): BadCaller {
  return async (context, signal) => {
    backend.setAccountLimits(settings);
    const asking = askInTurn(context, signal, { callers });
    await pause(ms, signal);
    backend.setAccountLimits({});
    await asking;
    await untilServed(context, signal);
  };
}

function useUpPlan({ backend }: ServiceProcess): BadCaller {
  return async (context, signal) => {
    const primary = usedUpFor(6);
    backend.setRateLimits({ primary });
    backend.setAccountLimits({ usedUpUntil: primary.resetsAt });
    const asking = askInTurn(context, signal);
    await pause(7_000, signal);
    backend.setRateLimits({ primary: { ...primary, usedPercent: 1 } });
    backend.setAccountLimits({});
    await asking;
    await untilServed(context, signal);
  };
}
