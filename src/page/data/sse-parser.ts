/** Server-sent events from pieces of text. A line that is never ended is refused before it fills the memory. */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

const maxPendingCharacters = 4_000_000;

export class SseParser {
  #pending = "";
  #event = "";
  #data: string[] = [];

  /** The events that the piece completes. */
  push(piece: string): readonly ServerSentEvent[] {
    this.#pending += piece;
    const events: ServerSentEvent[] = [];
    let start = 0;
    for (let end = this.#pending.indexOf("\n"); end >= 0; end = this.#pending.indexOf("\n", start)) {
      const line = this.#pending.slice(start, end);
      start = end + 1;
      const event = this.#takeLine(line.endsWith("\r") ? line.slice(0, -1) : line);
      if (event !== null) events.push(event);
    }
    this.#pending = this.#pending.slice(start);
    if (this.#pending.length > maxPendingCharacters) throw new Error("an event without an end");
    return events;
  }

  #takeLine(line: string): ServerSentEvent | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "event") this.#event = value;
    if (field === "data") this.#data.push(value);
    return null;
  }

  #dispatch(): ServerSentEvent | null {
    const event = { event: this.#event || "message", data: this.#data.join("\n") };
    const isEmpty = this.#data.length === 0;
    this.#event = "";
    this.#data = [];
    return isEmpty ? null : event;
  }
}
