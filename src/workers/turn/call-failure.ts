import {
  AppServerError,
  BadAnswerError,
  CallTimeoutError,
  MessageTooLargeError,
  RpcError,
  TooDeepError,
  UnserialisableError,
} from "../app-server/errors.js";
import type { TurnErrorData } from "../contract/errors.js";
import { describeFailure } from "./turn-failure.js";
import { publicText } from "./upstream-words.js";

/** JSON-RPC code of an app-server whose queues are full. */
export const overloadedRpcCode = -32001;
/** JSON-RPC codes that blame the request. */
const requestFaults = new Set([-32600, -32602]);

/**
 * What a failed call to the app-server means to the turn that needed it. `answersOthers`: the app-server has just answered
 * another call; then a call that it leaves unanswered is this turn's own misfortune, and would be again.
 */
export function classifyCallFailure(error: unknown, answersOthers = false): TurnErrorData {
  if (error instanceof RpcError) return classifyRpcError(error);
  if (error instanceof CallTimeoutError && answersOthers) {
    const message = `Codex did not answer ${error.method} within ${error.timeoutMs} ms, though it answers other calls.`;
    return { code: "turn_stalled", message };
  }
  if (error instanceof UnserialisableError) {
    const message = "The request holds something that is not JSON, so that it cannot be sent to Codex.";
    return { code: "invalid_request", message };
  }
  if (error instanceof TooDeepError) {
    return { code: "invalid_request", message: "The request is nested deeper than Codex reads." };
  }
  if (error instanceof MessageTooLargeError) {
    return { code: "invalid_request", message: "The request is larger than Codex takes." };
  }
  if (error instanceof BadAnswerError) {
    return { code: "internal_error", message: "Codex gave an answer that this version cannot read." };
  }
  if (error instanceof AppServerError) {
    return {
      code: "native_runtime_unavailable",
      message: publicText(error.message),
      retryAfterMs: 1000,
      infrastructure: true,
    };
  }
  return { code: "internal_error", message: "The turn failed in an unforeseen way." };
}

/** Codex will not do what it was asked, and not only for now. */
export function isRefusal(error: unknown): boolean {
  return error instanceof RpcError && error.rpcCode !== overloadedRpcCode;
}

/** Codex does not know, or does not have loaded, the thread that the call named. */
export function isUnknownThread(error: unknown): boolean {
  return error instanceof RpcError && requestFaults.has(error.rpcCode);
}

function classifyRpcError(error: RpcError): TurnErrorData {
  if (error.rpcCode === overloadedRpcCode) {
    return { code: "server_overloaded", message: "Codex has too much to do at once.", retryAfterMs: 1000 };
  }
  // What Codex reads for a thread is this service's own doing, and the service mends it.
  if (/failed to load configuration/.test(error.message)) {
    return {
      code: "native_runtime_unavailable",
      message: "Codex cannot read its configuration.",
      retryAfterMs: 5000,
    };
  }
  // Some calls go on to the backend: what it, or the network, said is in the words.
  return describeFailure({
    message: error.message,
    codexErrorInfo: requestFaults.has(error.rpcCode) ? "other" : null,
  });
}
