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

/** The details of a side task's error. */
export interface CodexNativeApiSideTaskErrorDetails {
  readonly routesTried?: readonly SideTaskTrial[];
  readonly param?: string | null;
  readonly outputText?: string | null;
  readonly retryAfterMs?: number | null;
  readonly cause?: unknown;
}

/**
 * Why a side task has no result. Branch on `code`; `message` is for people.
 *
 * - `bad_request`: the task is at fault; `param` names the field, if known.
 * - `content_policy`: the model or its provider refused.
 * - `bad_output`: the answer is empty, cut short or does not match the schema; `outputText` holds it.
 * - `timeout`: the task ran out of time.
 * - `cancelled`: its signal was aborted.
 * - `closed`: the router is closed.
 * - `overloaded`: the router has reached its limit of concurrent tasks.
 * - `no_route`: no route may take the task.
 * - `routes_exhausted`: every route failed or has its circuit open.
 */
export class CodexNativeApiSideTaskError extends Error {
  override readonly name = "CodexNativeApiSideTaskError";
  readonly code: CodexNativeApiSideTaskErrorCode;
  readonly retryable: boolean;
  /** Every route that was tried or skipped, in order. */
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
