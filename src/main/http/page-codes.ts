/**
 * One-time codes by which a page gets the token of who opened it: the command line asks for one with the token, hands it to the browser
 * behind the `#` of an address, which no server is sent, and the page exchanges it. So the token itself is in no address, history or
 * process list.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { watchLimits } from "../../workers/contract/wait.js";
import { CodexNativeApiError } from "../errors.js";

export const pageCodeBounds = {
  /** Time from the issue of a code to its end. */
  lifeMs: 60_000,
  /** Codes of one token that live at the same time; one more ends the oldest. */
  maxPerToken: 4,
  /** Wrong codes within `attemptsWindowMs`; then no code is taken until the window is over. */
  maxWrongAttempts: 32,
  attemptsWindowMs: 60_000,
} as const;

interface LiveCode {
  readonly digest: Buffer;
  /** Name of the token; null where none is needed. */
  readonly owner: string | null;
  /** What the page is given. */
  readonly token: string | null;
  readonly expiresAtMs: number;
  readonly stopTimer: () => void;
}

export class PageCodes {
  /** Milliseconds that only grow. */
  readonly #clock: () => number;
  /** The oldest first. */
  readonly #live = new Set<LiveCode>();
  #wrongAttempts = 0;
  #windowEndsAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** A new code, which stands for this token once. Only its digest is kept. */
  issue(owner: string | null, token: string | null): string {
    const { lifeMs, maxPerToken } = pageCodeBounds;
    const own = [...this.#live].filter((code) => code.owner === owner);
    for (const code of own.slice(0, Math.max(0, own.length - maxPerToken + 1))) this.#end(code);
    // 256 bits.
    const text = randomBytes(32).toString("base64url");
    const code: LiveCode = {
      digest: digestOf(text),
      owner,
      token,
      expiresAtMs: this.#clock() + lifeMs,
      stopTimer: watchLimits({ timeoutMs: lifeMs, unref: true }, () => this.#end(code)),
    };
    this.#live.add(code);
    return text;
  }

  /**
   * The token that the code stands for, null where none is needed. The code has ended with that.
   *
   * @throws CodexNativeApiError `invalid_page_code` or `page_code_attempts_exceeded`.
   */
  exchange(text: string): string | null {
    const nowMs = this.#clock();
    this.#refuseGuessing(nowMs);
    const code = this.#find(digestOf(text), nowMs);
    if (code === null) {
      this.#wrongAttempts += 1;
      throw new CodexNativeApiError(
        "invalid_page_code",
        "This code is wrong, was used before, or is too old.",
      );
    }
    this.#end(code);
    return code.token;
  }

  /** Ends the codes of a token that is no longer valid. */
  forget(owner: string): void {
    for (const code of this.#live) if (code.owner === owner) this.#end(code);
  }

  /** Ends all codes. */
  close(): void {
    for (const code of this.#live) this.#end(code);
  }

  /** Compares all codes, even after a match, so that the time is always the same. */
  #find(digest: Buffer, nowMs: number): LiveCode | null {
    let found: LiveCode | null = null;
    for (const code of this.#live) {
      if (timingSafeEqual(digest, code.digest) && nowMs < code.expiresAtMs) found = code;
    }
    return found;
  }

  #refuseGuessing(nowMs: number): void {
    const { maxWrongAttempts, attemptsWindowMs } = pageCodeBounds;
    if (nowMs >= this.#windowEndsAtMs) {
      this.#wrongAttempts = 0;
      this.#windowEndsAtMs = nowMs + attemptsWindowMs;
    }
    if (this.#wrongAttempts < maxWrongAttempts) return;
    throw new CodexNativeApiError(
      "page_code_attempts_exceeded",
      "Too many wrong codes were sent: no code is taken for a while.",
      { retryAfterMs: this.#windowEndsAtMs - nowMs },
    );
  }

  #end(code: LiveCode): void {
    code.stopTimer();
    this.#live.delete(code);
  }
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
