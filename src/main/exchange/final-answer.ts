import type { JsonObject, TurnEvent } from "../runtime/types.js";

/** A message that may be the last, with the text shown of it so far. */
interface HeldMessage {
  readonly id: string;
  text: string;
  item: JsonObject | null;
}

type Held = HeldMessage | { readonly event: TurnEvent };

/**
 * Lets only the final message and the calls of an answer through, for a caller that reads the first text that it finds. Newer models mark
 * their messages (`phase`): a final answer passes as it comes. Of other messages only the end shows which was the last, so they are held
 * until then, with the calls that follow them.
 */
export class FinalAnswer {
  /** In order. */
  readonly #held = new Set<Held>();
  /** The messages among them by their ids; of those with the same, only the last may be incomplete. */
  readonly #messages = new Map<string, HeldMessage[]>();
  /** Messages that the model marked as its final answer, begun and not complete. */
  readonly #passing = new Set<string>();
  /** Messages that the model marked as commentary, begun and not complete. */
  readonly #hidden = new Set<string>();

  push(event: TurnEvent): readonly TurnEvent[] {
    switch (event.type) {
      case "item.started":
        if (event.itemType === "reasoning") return [];
        if (event.itemType !== "message") return this.#pass(event);
        return this.#begin(event.itemId, event.phase) ? [...this.#dropMessages(), event] : [];
      case "text.delta":
        if (this.#passing.has(event.itemId)) return [event];
        if (!this.#hidden.has(event.itemId)) this.#find(event.itemId).text += event.delta;
        return [];
      case "item.completed":
        return this.#complete(event);
      case "item.discarded":
        this.#hidden.delete(event.itemId);
        this.#drop(event.itemId);
        return this.#passing.delete(event.itemId) ? [event] : this.#pass(event);
      case "reasoning_summary.part":
      case "reasoning_summary.delta":
      case "reasoning_text.delta":
        return [];
      default:
        // These concern the turn as a whole.
        return [event];
    }
  }

  /** The turn is over: the last of the messages held is its answer. */
  end(): readonly TurnEvent[] {
    const held = [...this.#held];
    const last = held.findLast((each) => !("event" in each));
    return held.flatMap((each) => {
      if ("event" in each) return each.event;
      return each === last ? describe(each) : [];
    });
  }

  /** Whether the message passes from its beginning on. */
  #begin(id: string, phase: unknown): boolean {
    if (phase === "commentary") this.#hidden.add(id);
    else if (phase === "final_answer") this.#passing.add(id);
    else this.#find(id);
    return phase === "final_answer";
  }

  #complete(event: Extract<TurnEvent, { type: "item.completed" }>): readonly TurnEvent[] {
    const { type, id, phase } = event.item;
    if (type !== "message")
      return typeof type === "string" && type.endsWith("_call") ? this.#pass(event) : [];
    const key = typeof id === "string" ? id : "";
    if (this.#passing.delete(key)) return [event];
    if (this.#hidden.delete(key)) return [];
    if (phase === "final_answer") return [...this.#dropMessages(), event];
    if (phase === "commentary") this.#drop(key);
    else this.#find(key).item = event.item;
    return [];
  }

  /** In its order: behind the messages held. */
  #pass(event: TurnEvent): readonly TurnEvent[] {
    if (this.#held.size === 0) return [event];
    this.#held.add({ event });
    return [];
  }

  /** None of the messages held is the final one. Gives the calls that waited behind them. */
  #dropMessages(): readonly TurnEvent[] {
    const events = [...this.#held].flatMap((each) => ("event" in each ? each.event : []));
    this.#held.clear();
    this.#messages.clear();
    return events;
  }

  #find(id: string): HeldMessage {
    const known = this.#messages.get(id) ?? [];
    const last = known.at(-1);
    if (last?.item === null) return last;
    const message: HeldMessage = { id, text: "", item: null };
    this.#messages.set(id, known);
    known.push(message);
    this.#held.add(message);
    return message;
  }

  #drop(id: string): void {
    for (const message of this.#messages.get(id) ?? []) this.#held.delete(message);
    this.#messages.delete(id);
  }
}

/** As one step: what was shown of it meanwhile is a part of it. */
function describe({ id, text, item }: HeldMessage): readonly TurnEvent[] {
  if (item !== null) return [{ type: "item.completed", item }];
  return [
    { type: "item.started", itemId: id, itemType: "message" },
    { type: "text.delta", itemId: id, delta: text },
  ];
}
