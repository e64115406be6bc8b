import OpenAI from "openai";
import { type Contestant, TurnClock, type TurnSample, turnDeadlineMs } from "./contestant.js";
import type { ServiceContestantOptions } from "./service-http.js";

/** The service through the official client. */
export class OpenAiContestant implements Contestant {
  readonly name: string;
  readonly servicePid: number | null;
  readonly appServerPid: number | null;
  readonly #streams: boolean;
  readonly #client: OpenAI;

  constructor({ url, servicePid, appServerPid }: ServiceContestantOptions, mode: "JSON" | "SSE") {
    this.name = `service, ${mode}, openai client`;
    this.servicePid = servicePid;
    this.appServerPid = appServerPid;
    this.#streams = mode === "SSE";
    this.#client = new OpenAI({
      apiKey: "unused",
      baseURL: `${url}/v1`,
      maxRetries: 0,
      timeout: turnDeadlineMs,
    });
  }

  async runTurn(prompt: string): Promise<TurnSample> {
    const clock = new TurnClock();
    if (!this.#streams) {
      clock.noteWhole((await this.#client.responses.create({ input: prompt, store: false })).output_text);
      return clock.finish();
    }
    const stream = await this.#client.responses.create({ input: prompt, store: false, stream: true });
    let last = "nothing";
    for await (const event of stream) {
      last = event.type;
      if (event.type === "response.output_text.delta") clock.noteDelta(event.delta);
    }
    if (last !== "response.completed") throw new Error(`the stream ended with ${last}`);
    return clock.finish();
  }
}
