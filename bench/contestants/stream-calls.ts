import { Agent, request } from "undici";
import type { JsonObject } from "../../src/workers/contract/json.js";
import { TurnClock, turnDeadlineMs } from "./contestant.js";
import { readStream } from "./service-http.js";

export interface StreamedCall {
  readonly id: string;
  /** From the call to the first piece of text. */
  readonly firstDeltaMs: number;
}

/** Streams of the Responses API with any body, over one client that keeps its connections. */
export class StreamClient {
  readonly #url: string;
  readonly #agent = new Agent({ headersTimeout: turnDeadlineMs, bodyTimeout: turnDeadlineMs });

  constructor(url: string) {
    this.#url = `${url}/v1/responses`;
  }

  async ask(fields: JsonObject): Promise<StreamedCall> {
    const clock = new TurnClock();
    const { statusCode, body } = await request(this.#url, {
      method: "POST",
      dispatcher: this.#agent,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...fields, stream: true }),
    });
    if (statusCode !== 200) throw new Error(`HTTP ${statusCode}: ${(await body.text()).slice(0, 300)}`);
    const id = await readStream(body, clock);
    const { firstDeltaMs } = clock.finish();
    if (firstDeltaMs === null) throw new Error("the stream had no text");
    return { id, firstDeltaMs };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
