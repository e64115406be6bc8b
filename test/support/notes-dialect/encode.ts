import type { ContinuationFacts } from "../../../src/main/dialects/answers/native-api.js";
import type {
  Answer,
  DialectTurn,
  Encoding,
  EventKind,
  TurnEnd,
} from "../../../src/main/dialects/dialect.js";
import type { CodexNativeApiError } from "../../../src/main/errors.js";
import type { TurnEvent } from "../../../src/main/runtime/types.js";
import { noteErrors } from "./errors.js";

type NoteEvent =
  | { readonly begun: string }
  | { readonly say: string }
  | { readonly call: unknown; readonly name: unknown }
  | { readonly end: string; readonly resumed: ContinuationFacts["mode"] }
  | { readonly fault: string };

export function encodeNote(turn: DialectTurn, { newId }: Encoding): Answer<NoteEvent> {
  return new NoteAnswer(newId("note"), turn.ignoredParameters);
}

class NoteAnswer implements Answer<NoteEvent> {
  #events: NoteEvent[] = [];
  #resumed: ContinuationFacts["mode"] = null;
  #isEnded = false;

  constructor(
    readonly id: string,
    readonly ignored: readonly string[],
  ) {}

  get body(): object {
    return { id: this.id, ignored: this.ignored, note: this.#events };
  }

  setContinuation(continuation: ContinuationFacts | null): void {
    this.#resumed = continuation?.mode ?? null;
  }

  endOfStream(): string {
    return "";
  }

  start(): readonly NoteEvent[] {
    return this.#events.length > 0 ? [] : this.#tell({ begun: this.id });
  }

  push(event: TurnEvent): readonly NoteEvent[] {
    if (event.type === "text.delta") return this.#tell({ say: event.delta });
    if (event.type !== "item.completed" || event.item.type !== "function_call") return [];
    return this.#tell({ call: event.item.call_id, name: event.item.name });
  }

  forget(): void {
    this.#events = [];
  }

  end({ outcome }: TurnEnd): readonly NoteEvent[] {
    return this.#finish({ end: outcome.status, resumed: this.#resumed });
  }

  fail({ code }: CodexNativeApiError): readonly NoteEvent[] {
    return this.#finish({ fault: code });
  }

  failedBody(error: CodexNativeApiError): object {
    return noteErrors.describe(error);
  }

  encode(events: readonly NoteEvent[]): string {
    return events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  }

  kindOf(event: NoteEvent): EventKind {
    if ("fault" in event) return "failure";
    return "begun" in event ? "preamble" : "output";
  }

  #finish(event: NoteEvent): readonly NoteEvent[] {
    if (this.#isEnded) return [];
    this.#isEnded = true;
    return this.#tell(event);
  }

  #tell(event: NoteEvent): readonly NoteEvent[] {
    this.#events.push(event);
    return [event];
  }
}
