import { Agent, request } from "undici";
import { isJsonObject } from "../../src/workers/contract/json.js";
import { turnDeadlineMs } from "./contestant.js";

export interface ChainLink {
  readonly id: string;
  readonly ms: number;
  /** How it took up what came before: `native`, `replayed`, or null for a fresh one. */
  readonly mode: string | null;
}

/** Stored responses that build on each other. */
export class ResponseChainClient {
  readonly #url: string;
  readonly #agent = new Agent({ headersTimeout: turnDeadlineMs, bodyTimeout: turnDeadlineMs });

  constructor(url: string) {
    this.#url = `${url}/v1/responses`;
  }

  async create(input: string, previous: string | null): Promise<ChainLink> {
    const startMs = performance.now();
    const { statusCode, body } = await request(this.#url, {
      method: "POST",
      dispatcher: this.#agent,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input, previous_response_id: previous }),
    });
    const response: unknown = await body.json();
    const ms = performance.now() - startMs;
    if (statusCode !== 200 || !isJsonObject(response) || typeof response.id !== "string") {
      throw new Error(`HTTP ${statusCode}: ${JSON.stringify(response).slice(0, 300)}`);
    }
    return { id: response.id, ms, mode: readMode(response.native_api) };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

function readMode(nativeApi: unknown): string | null {
  const continuation = isJsonObject(nativeApi) ? nativeApi.continuation : null;
  return isJsonObject(continuation) && typeof continuation.mode === "string" ? continuation.mode : null;
}
