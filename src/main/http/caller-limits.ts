/** What a token of its own lets its holder do. Without one there are no limits but the service's. */
import type { NamedToken } from "../config/named-token.js";
import { CodexNativeApiError } from "../errors.js";

/** How long a caller over its limit is told to wait, in milliseconds. */
const retryAfterMs = 1000;

/** The turns that each token has under way, in the queue or running. */
export class CallerTurns {
  readonly #counts = new Map<string, number>();

  /**
   * Counts a turn until the answer is called; calling that again does nothing.
   *
   * @throws CodexNativeApiError `token_concurrency_exceeded`.
   */
  enter(token: NamedToken | null): () => void {
    if (token === null) return () => {};
    const { name, maxConcurrentTurns } = token;
    const count = this.#counts.get(name) ?? 0;
    if (maxConcurrentTurns !== null && count >= maxConcurrentTurns) {
      throw new CodexNativeApiError(
        "token_concurrency_exceeded",
        `This token may have ${maxConcurrentTurns} turns under way at once, and has.`,
        { retryAfterMs },
      );
    }
    this.#counts.set(name, count + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = (this.#counts.get(name) ?? 1) - 1;
      if (left > 0) this.#counts.set(name, left);
      else this.#counts.delete(name);
    };
  }
}

export function mayUseModel(token: NamedToken | null, model: string): boolean {
  return token === null || token.models === null || token.models.includes(model);
}

/** @throws CodexNativeApiError `model_not_allowed`. */
export function requireModel(token: NamedToken | null, model: string): void {
  if (mayUseModel(token, model)) return;
  throw new CodexNativeApiError(
    "model_not_allowed",
    `This token may not use the model '${model.slice(0, 64)}'. GET /v1/models lists what it may.`,
    { param: "model" },
  );
}

/**
 * The request with a model that the token may use: its own, or the token's first where it names none and the choice is not
 * the service's.
 *
 * @throws CodexNativeApiError `model_not_allowed`.
 */
export function withAllowedModel<Request extends { readonly model?: string }>(
  request: Request,
  token: NamedToken | null,
): Request {
  if (request.model !== undefined) requireModel(token, request.model);
  const first = token?.models?.[0];
  return request.model !== undefined || first === undefined ? request : { ...request, model: first };
}
