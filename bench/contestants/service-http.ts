import { Agent, request } from "undici";
import { isJsonObject } from "../../src/workers/contract/json.js";
import { type Contestant, TurnClock, type TurnSample, turnDeadlineMs } from "./contestant.js";

export interface ServiceContestantOptions {
  readonly url: string;
  readonly servicePid: number | null;
  readonly appServerPid: number | null;
}

/** The service through a plain HTTP client. */
export class HttpContestant implements Contestant {
  readonly name: string;
  readonly servicePid: number | null;
  readonly appServerPid: number | null;
  readonly #url: string;
  readonly #streams: boolean;
  readonly #agent: Agent;

  constructor({ url, servicePid, appServerPid }: ServiceContestantOptions, mode: "JSON" | "SSE") {
    this.name = `service, ${mode}`;
    this.servicePid = servicePid;
    this.appServerPid = appServerPid;
    this.#url = `${url}/v1/responses`;
    this.#streams = mode === "SSE";
    this.#agent = new Agent({
      pipelining: 1,
      headersTimeout: turnDeadlineMs,
      bodyTimeout: turnDeadlineMs,
    });
  }

  async runTurn(prompt: string): Promise<TurnSample> {
    const clock = new TurnClock();
    const { statusCode, body } = await request(this.#url, {
      method: "POST",
      dispatcher: this.#agent,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input: prompt, store: false, stream: this.#streams }),
    });
    if (statusCode !== 200) throw new Error(`HTTP ${statusCode}: ${(await body.text()).slice(0, 300)}`);
    if (this.#streams) await readStream(body, clock);
    else clock.noteWhole(readOutputText(await body.json()));
    return clock.finish();
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** Reads a stream of Responses events to its end and gives the response's id; rejects unless it ends with `response.completed`. */
export async function readStream(body: AsyncIterable<Buffer>, clock: TurnClock): Promise<string> {
  const decoder = new TextDecoder();
  let pending = "";
  let last = "nothing";
  let id = "";
  for await (const chunk of body) {
    pending += decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = pending.indexOf("\n", from); end >= 0; end = pending.indexOf("\n", from)) {
      if (pending.startsWith("data: {", from)) {
        const event: unknown = JSON.parse(pending.slice(from + 6, end));
        if (isJsonObject(event)) {
          last = String(event.type);
          if (last === "response.output_text.delta") clock.noteDelta(String(event.delta));
          if (isJsonObject(event.response)) id = String(event.response.id);
        }
      }
      from = end + 1;
    }
    pending = pending.slice(from);
  }
  if (last !== "response.completed") throw new Error(`the stream ended with ${last}`);
  return id;
}

function readOutputText(response: unknown): string {
  if (!isJsonObject(response) || response.status !== "completed" || !Array.isArray(response.output)) {
    throw new Error(`not a completed response: ${JSON.stringify(response).slice(0, 300)}`);
  }
  const parts = response.output.flatMap((item) =>
    isJsonObject(item) && Array.isArray(item.content) ? item.content : [],
  );
  return parts.map((part) => (isJsonObject(part) ? String(part.text) : "")).join("");
}
