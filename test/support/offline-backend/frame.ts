import { randomBytes } from "node:crypto";
import type { JsonObject } from "./json.js";

/** One event of a response, ready to be sent. */
export interface Frame {
  readonly type: string;
  readonly json: string;
  /** Silence before it. */
  readonly delayMs: number;
  /** A piece of the visible text: what `afterDeltas` counts. */
  readonly isTextDelta: boolean;
}

/** What the events of one response share: ids, the running number, the items finished so far. */
export class ResponseContext {
  readonly responseId: string;
  readonly model: string;
  readonly createdAtSeconds = Math.floor(Date.now() / 1_000);
  readonly output: JsonObject[] = [];
  #nextSequenceNumber = 0;
  #nextItem = 0;
  readonly #suffix: string;

  constructor(responseId: string, model: string) {
    this.responseId = responseId;
    this.model = model;
    this.#suffix = responseId.slice(responseId.indexOf("_") + 1);
  }

  /** Unique for each item of each response. */
  newItemId(prefix: string): string {
    return `${prefix}_${this.#suffix}${this.#nextItem++}`;
  }

  frame(type: string, fields: JsonObject, delayMs = 0): Frame {
    const head = { type, sequence_number: this.#nextSequenceNumber++ };
    return { type, json: JSON.stringify({ ...head, ...fields }), delayMs, isTextDelta: false };
  }

  /** A text delta from ready-made JSON: by far the most frequent frame. */
  textDelta(placeJson: string, deltaJson: string, delayMs: number): Frame {
    const number = this.#nextSequenceNumber++;
    return {
      type: "response.output_text.delta",
      json: `{"type":"response.output_text.delta","sequence_number":${number},${placeJson},"delta":${deltaJson},"logprobs":[]}`,
      delayMs,
      isTextDelta: true,
    };
  }
}

export function newResponseId(): string {
  return `resp_${randomBytes(16).toString("hex")}`;
}
