import type { SideTaskFailure } from "./fall-through.js";

interface RouteFailureDetails {
  /** The code behind the failure, such as `queue_full` or `ECONNREFUSED`. `unreadable_code` in place of one that is not plain. */
  readonly code: string;
  readonly message: string;
  /** How long the route asks for a pause. */
  readonly retryAfterMs?: number | null;
  /** Field of the task at fault. */
  readonly param?: string | null;
  /** What the model answered, where the answer is at fault. */
  readonly outputText?: string | null;
  readonly cause?: unknown;
}

/** Another server's words end up in errors, and its codes in events and logs too, where no word of a task belongs. */
const maxMessageChars = 1_000;
const maxParamChars = 200;

export function isPlainCode(code: string): boolean {
  return /^[\w.:-]{1,64}$/.test(code);
}

/** One route failed one task. Stays inside the router: the host gets a `CodexNativeApiSideTaskError`. */
export class RouteFailure extends Error {
  override readonly name = "RouteFailure";
  readonly failure: SideTaskFailure;
  readonly code: string;
  readonly retryAfterMs: number | null;
  readonly param: string | null;
  readonly outputText: string | null;

  constructor(failure: SideTaskFailure, details: RouteFailureDetails) {
    super(
      cut(details.message, maxMessageChars),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.failure = failure;
    this.code = isPlainCode(details.code) ? details.code : "unreadable_code";
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.param = typeof details.param === "string" ? cut(details.param, maxParamChars) : null;
    this.outputText = details.outputText ?? null;
  }
}

function cut(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars)}…`.toWellFormed() : text;
}
