import type { SideTaskTrial } from "./types.js";

/** Every code a side task ends with, and whether the same task may succeed later. */
export const sideTaskErrorKinds = {
  bad_request: { retryable: false },
  content_policy: { retryable: false },
  bad_output: { retryable: true },
  timeout: { retryable: true },
  cancelled: { retryable: false },
  closed: { retryable: false },
  overloaded: { retryable: true },
  no_route: { retryable: false },
  routes_exhausted: { retryable: true },
} as const satisfies Record<string, { readonly retryable: boolean }>;

/** Stable; each is explained in docs/side-tasks.md. */
export type CodexNativeApiSideTaskErrorCode = keyof typeof sideTaskErrorKinds;

export function isSideTaskErrorCode(code: string): code is CodexNativeApiSideTaskErrorCode {
  return Object.hasOwn(sideTaskErrorKinds, code);
}

/** What a side task's error says beside its code and message. */
export interface CodexNativeApiSideTaskErrorDetails {
  readonly routesTried?: readonly SideTaskTrial[];
  readonly param?: string | null;
  readonly outputText?: string | null;
  readonly retryAfterMs?: number | null;
  readonly cause?: unknown;
}

/**
 * How a side task ends that was not served. Branch on `code`; `message` is for people.
 *
 * - `bad_request`: the task is at fault; `param` names the field, if it is known.
 * - `content_policy`: the model or its provider refused.
 * - `bad_output`: the answer is empty, cut short or breaks the schema; `outputText` is what was answered.
 * - `timeout`: the task's time is over.
 * - `cancelled`: its signal was aborted.
 * - `closed`: the router is closed.
 * - `overloaded`: the router runs as many tasks as it may.
 * - `no_route`: no route is switched on for such a task.
 * - `routes_exhausted`: every route failed or has its circuit open.
 */
export class CodexNativeApiSideTaskError extends Error {
  override readonly name = "CodexNativeApiSideTaskError";
  readonly code: CodexNativeApiSideTaskErrorCode;
  readonly retryable: boolean;
  /** Every route up to the end, in order. */
  readonly routesTried: readonly SideTaskTrial[];
  readonly param: string | null;
  readonly outputText: string | null;
  /** When a retry may help, in milliseconds from now. */
  readonly retryAfterMs: number | null;

  constructor(
    code: CodexNativeApiSideTaskErrorCode,
    message: string,
    details: CodexNativeApiSideTaskErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = sideTaskErrorKinds[code].retryable;
    this.routesTried = details.routesTried ?? [];
    this.param = details.param ?? null;
    this.outputText = details.outputText ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
  }
}
