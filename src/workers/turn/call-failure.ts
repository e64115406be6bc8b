import { setTimeout as delay } from "node:timers/promises";
import {
  AppServerError,
  type BadAnswerError,
  CallTimeoutError,
  type MessageTooLargeError,
  RpcError,
  type TooDeepError,
  type UnserialisableError,
} from "../app-server/errors.js";
import type { TurnErrorData } from "../contract/errors.js";
import { describeFailure } from "./turn-failure.js";
import { publicText } from "./upstream-words.js";

/** JSON-RPC code of an app-server whose queues are full. */
const overloadedRpcCode = -32001;
/** JSON-RPC codes that blame the request. */
const requestFaults = new Set([-32600, -32602]);

type CodeOfCall = (UnserialisableError | TooDeepError | MessageTooLargeError | BadAnswerError)["code"];

/** Failures of a call that are no infrastructure failures: the same call would fail again. */
const failuresOfCall: Readonly<Record<string, TurnErrorData>> = {
  unserialisable: {
    code: "invalid_request",
    message: "The request holds something that is not JSON, so that it cannot be sent to Codex.",
  },
  too_deep: { code: "invalid_request", message: "The request is nested deeper than Codex reads." },
  message_too_large: { code: "invalid_request", message: "The request is larger than Codex takes." },
  bad_answer: {
    code: "internal_error",
    message: "Codex gave an answer that this version cannot read.",
  },
} satisfies Record<CodeOfCall, TurnErrorData>;

/**
 * What a failed call to the app-server means to the turn that needed it. `answersOthers`: the app-server has just answered
 * another call; then a call that it leaves unanswered is this turn's own misfortune, and would be again.
 */
export function classifyCallFailure(error: unknown, answersOthers = false): TurnErrorData {
  if (!(error instanceof AppServerError)) {
    return { code: "internal_error", message: "The turn failed with an unexpected error." };
  }
  if (error instanceof RpcError) return classifyRpcError(error);
  if (error instanceof CallTimeoutError && answersOthers) {
    const message = `Codex did not answer ${error.method} within ${error.timeoutMs} ms, though it answers other calls.`;
    return { code: "turn_stalled", message };
  }
  return (
    failuresOfCall[error.code] ?? {
      code: "native_runtime_unavailable",
      message: publicText(error.message),
      retryAfterMs: 1000,
      infrastructure: true,
    }
  );
}

/** Codex will not do what it was asked, and not only for now. */
export function isRefusal(error: unknown): boolean {
  return error instanceof RpcError && error.rpcCode !== overloadedRpcCode;
}

/** Codex does not know, or does not have loaded, the thread that the call named. */
export function isUnknownThread(error: unknown): boolean {
  return error instanceof RpcError && requestFaults.has(error.rpcCode);
}

function classifyRpcError({ rpcCode, message }: RpcError): TurnErrorData {
  if (rpcCode === overloadedRpcCode) {
    return { code: "server_overloaded", message: "Codex has too much to do at once.", retryAfterMs: 1000 };
  }
  // What Codex reads for a thread is this service's own doing, and the service mends it.
  if (/failed to load configuration/.test(message)) {
    return {
      code: "native_runtime_unavailable",
      message: "Codex cannot read its configuration.",
      retryAfterMs: 5000,
    };
  }
  // Codex passes some calls on to the backend: the message then quotes the backend or the network.
  return describeFailure({ message, codexErrorInfo: requestFaults.has(rpcCode) ? "other" : null });
}

const attempts = 5;
const firstDelayMs = 40;

/** Repeats a call that an app-server with full queues refused, with growing, jittered pauses. It was not acted on. */
export async function retryWhenOverloaded<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const isOverloaded = error instanceof RpcError && !isRefusal(error);
      if (!isOverloaded || attempt === attempts || signal.aborted) throw error;
      await delay(firstDelayMs * 2 ** attempt * (0.5 + Math.random()), undefined, { signal });
    }
  }
}
