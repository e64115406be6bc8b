import { Agent, request } from "undici";
import { isJsonObject } from "../../src/workers/contract/json.js";

/** One turn as its caller saw it. */
export interface CallerTurn {
  readonly caller: string;
  /** On the clock of `performance.now()`. */
  readonly startMs: number;
  readonly endMs: number;
  /** 0 where no answer came. */
  readonly status: number;
  /** Null: the whole answer came. */
  readonly fault: string | null;
  readonly retryAfterSeconds: number | null;
}

export interface NamedCallersOptions {
  readonly url: string;
  /** What every answer must be long, in characters. */
  readonly expectedCharacters: number;
  /** No turn takes longer, its time in the queue included. */
  readonly deadlineMs: number;
}

/**
 * Callers of the service that it tells apart, each by a token of its own: OpenAI's clients always send one, and where the service asks
 * for none it is still who asks.
 */
export class NamedCallers {
  readonly #options: NamedCallersOptions;
  readonly #agent: Agent;

  constructor(options: NamedCallersOptions) {
    this.#options = options;
    const { deadlineMs } = options;
    this.#agent = new Agent({ pipelining: 1, headersTimeout: deadlineMs, bodyTimeout: deadlineMs });
  }

  /** Rejects only when aborted. */
  async ask(
    caller: string,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<CallerTurn> {
    const startMs = performance.now();
    try {
      const answer = await this.#send(caller, signal, headers);
      return { caller, startMs, endMs: performance.now(), ...answer };
    } catch (error) {
      signal.throwIfAborted();
      const fault = error instanceof Error ? error.message : String(error);
      return { caller, startMs, endMs: performance.now(), status: 0, fault, retryAfterSeconds: null };
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #send(caller: string, signal: AbortSignal, extra: Readonly<Record<string, string>>) {
    const { url, expectedCharacters } = this.#options;
    const { statusCode, headers, body } = await request(`${url}/v1/responses`, {
      method: "POST",
      dispatcher: this.#agent,
      signal,
      headers: { "content-type": "application/json", authorization: `Bearer ${caller}`, ...extra },
      body: JSON.stringify({ input: `A question of ${caller}.`, store: false }),
    });
    const response: unknown = await body.json();
    const retryAfter = Number(headers["retry-after"]);
    return {
      status: statusCode,
      fault: statusCode === 200 ? faultOf(response, expectedCharacters) : codeOf(response),
      retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : null,
    };
  }
}

function codeOf(answer: unknown): string {
  const error = isJsonObject(answer) ? answer.error : null;
  return isJsonObject(error) && typeof error.code === "string" ? error.code : "no error code";
}

function faultOf(response: unknown, expectedCharacters: number): string | null {
  if (!isJsonObject(response) || response.status !== "completed") return "not a completed response";
  const items = Array.isArray(response.output) ? response.output : [];
  const parts = items.flatMap((item) =>
    isJsonObject(item) && Array.isArray(item.content) ? item.content : [],
  );
  const text = parts.map((part) => (isJsonObject(part) ? String(part.text) : "")).join("");
  return text.length === expectedCharacters ? null : `${text.length} of ${expectedCharacters} characters`;
}
