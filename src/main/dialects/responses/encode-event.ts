import type { CodexNativeApiError } from "../../errors.js";
import type { OutputTextDelta, ResponseEvent, StreamErrorEvent } from "./wire-events.js";

/**
 * Events as server-sent text. Nearly all of them are text deltas that differ in number and text only, so the JSON around
 * those is made once for each content part.
 */
export class ResponseEventEncoder {
  #partKey = "";
  #partOutputIndex = -1;
  #partContentIndex = -1;
  #head = "";

  encode(events: readonly ResponseEvent[]): string {
    let text = "";
    for (const event of events) {
      text += event.type === "response.output_text.delta" ? this.#encodeDelta(event) : encodeOther(event);
    }
    return text;
  }

  #encodeDelta(event: OutputTextDelta): string {
    if (
      event.item_id !== this.#partKey ||
      event.content_index !== this.#partContentIndex ||
      event.output_index !== this.#partOutputIndex
    ) {
      this.#partKey = event.item_id;
      this.#partOutputIndex = event.output_index;
      this.#partContentIndex = event.content_index;
      const { type, item_id, output_index, content_index, logprobs } = event;
      const fixed = JSON.stringify({ type, item_id, output_index, content_index, logprobs });
      this.#head = `event: ${type}\ndata: ${fixed.slice(0, -1)},"sequence_number":`;
    }
    return `${this.#head}${event.sequence_number},"delta":${JSON.stringify(event.delta)}}\n\n`;
  }
}

/** The last event of a stream that breaks off. */
export function encodeStreamError(error: CodexNativeApiError, sequenceNumber: number): string {
  const { code, message, param } = error;
  return encodeOther({ type: "error", sequence_number: sequenceNumber, code, message, param });
}

function encodeOther(event: ResponseEvent | StreamErrorEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
