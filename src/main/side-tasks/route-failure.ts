import type { SideTaskFailure } from "./fall-through.js";

interface RouteFailureDetails {
  /** What is behind it, such as `queue_full` or `ECONNREFUSED`. */
  readonly code: string;
  readonly message: string;
  /** How long the route asked to be left alone. */
  readonly retryAfterMs?: number | null;
  /** Field of the task at fault. */
  readonly param?: string | null;
  /** What the model answered, where that is what is wrong. */
  readonly outputText?: string | null;
  readonly cause?: unknown;
}

/** One route failed one task. Stays inside the router: the caller sees a `CodexNativeApiSideTaskError`. */
export class RouteFailure extends Error {
  override readonly name = "RouteFailure";
  readonly failure: SideTaskFailure;
  readonly code: string;
  readonly retryAfterMs: number | null;
  readonly param: string | null;
  readonly outputText: string | null;

  constructor(failure: SideTaskFailure, details: RouteFailureDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.failure = failure;
    this.code = details.code;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.param = details.param ?? null;
    this.outputText = details.outputText ?? null;
  }
}
