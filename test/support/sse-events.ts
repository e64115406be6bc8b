/** Reads a stream of server-sent events as strictly as the standard has it. */
export interface SseEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface SseText {
  readonly events: readonly SseEvent[];
  readonly comments: readonly string[];
  /** Whether it ends with `data: [DONE]`. */
  readonly done: boolean;
}

export function parseSse(text: string): SseText {
  const events: SseEvent[] = [];
  const comments: string[] = [];
  if (!text.endsWith("\n\n")) throw new Error(`The stream breaks off: ${JSON.stringify(text.slice(-80))}`);
  const blocks = text.slice(0, -2).split("\n\n");
  const done = blocks.at(-1) === "data: [DONE]";
  for (const block of done ? blocks.slice(0, -1) : blocks) {
    if (block.startsWith(":")) {
      comments.push(block.slice(1).trim());
      continue;
    }
    const [first, second, ...more] = block.replace(/^id: \d+\n/, "").split("\n");
    if (!first?.startsWith("event: ") || !second?.startsWith("data: ") || more.length > 0) {
      throw new Error(`Not an event: ${JSON.stringify(block)}`);
    }
    events.push({ event: first.slice(7), data: JSON.parse(second.slice(6)) });
  }
  return { events, comments, done };
}
