import { isJsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError } from "../../errors.js";
import type { JsonObject, TurnEvent } from "../../runtime/types.js";
import { idPrefixOf, missingText, readModelItem } from "../responses/output-items.js";
import type { FunctionCallItem, MessageItem } from "../responses/wire-items.js";
import { JoinedText, ReasoningText } from "./message-texts.js";
import type { Delta, UrlCitation, WireMessage, WireToolCall } from "./wire-types.js";

export interface MessageOptions {
  /** The client has each delta as it is made: what was told cannot be taken back. */
  readonly streamed: boolean;
  readonly newId: (prefix: string) => string;
}

/** The one message of a completion, put together from a turn's items. */
export class Message {
  readonly #options: MessageOptions;
  readonly #content = new JoinedText();
  readonly #reasoning = new ReasoningText();
  readonly #refusals: string[] = [];
  readonly #annotations: UrlCitation[] = [];
  /** Items begun and not complete, by id. */
  readonly #open = new Map<string, string>();
  readonly #calls: FunctionCallItem[] = [];

  constructor(options: MessageOptions) {
    this.#options = options;
  }

  /**
   * What the event adds to the message, in order.
   *
   * @throws CodexNativeApiError `upstream_connection_failed` when the model takes back what a stream has told.
   */
  push(event: TurnEvent): readonly Delta[] {
    switch (event.type) {
      case "item.started":
        this.#open.set(event.itemId, event.itemType);
        return [];
      case "text.delta":
        this.#open.set(event.itemId, "message");
        return contentOf(this.#content.append(event.itemId, event.delta));
      case "reasoning_summary.delta":
        return reasoningOf(this.#reasoning.delta(event.itemId, "summary", event.summaryIndex, event.delta));
      case "reasoning_text.delta":
        return reasoningOf(this.#reasoning.delta(event.itemId, "text", event.contentIndex, event.delta));
      case "item.completed":
        return this.#complete(event.item);
      case "item.discarded":
        this.#discard(event.itemId);
        return [];
      case "reasoning_summary.part":
      case "model_call.completed":
      case "turn.started":
      case "turn.parked":
      case "turn.ended":
        return [];
      default:
        event satisfies never;
        return [];
    }
  }

  /** The model's calls of these ids, in its order: those that wait for the caller. Codex answers others by itself. */
  callsOf(callIds: readonly string[]): readonly WireToolCall[] {
    const wanted = new Set(callIds);
    return this.#calls
      .filter((call) => wanted.has(call.call_id))
      .map(({ call_id: id, name, arguments: given }) => ({
        id,
        type: "function",
        function: { name, arguments: given },
      }));
  }

  build(calls: readonly WireToolCall[]): WireMessage {
    const { text } = this.#content;
    const reasoning = this.#reasoning.text;
    const refusal = this.#refusals.length === 0 ? null : this.#refusals.join("");
    return {
      role: "assistant",
      content: text === "" && (calls.length > 0 || refusal !== null) ? null : text,
      refusal,
      annotations: this.#annotations,
      ...(calls.length > 0 && { tool_calls: calls }),
      ...(reasoning !== "" && { reasoning_content: reasoning }),
    };
  }

  #complete(raw: JsonObject): readonly Delta[] {
    const id = typeof raw.id === "string" ? raw.id : this.#idFor(raw.type);
    this.#open.delete(id);
    const model = readModelItem(raw, { id, includeEncryptedReasoning: false });
    switch (model.kind) {
      case "message":
        return this.#completeMessage(model.item);
      case "reasoning":
        return reasoningOf(this.#reasoning.complete(model.item));
      case "function_call":
        this.#calls.push(model.item);
        return [];
      default:
        return [];
    }
  }

  #completeMessage({ id, content }: MessageItem): readonly Delta[] {
    const whole = content.map((part) => (part.type === "output_text" ? part.text : "")).join("");
    const deltas: Delta[] = [];
    const { rest } = missingText(this.#content.of(id), whole);
    deltas.push(...contentOf(this.#content.append(id, rest)));
    // In a stream, words told are told, also where the finished item has others.
    if (!this.#options.streamed) this.#content.replace(id, whole);
    for (const part of content) {
      if (part.type !== "refusal" || part.refusal === "") continue;
      this.#refusals.push(part.refusal);
      deltas.push({ refusal: part.refusal });
    }
    const annotations = this.#readAnnotations(id, content);
    this.#annotations.push(...annotations);
    return annotations.length === 0 ? deltas : [...deltas, { annotations }];
  }

  #readAnnotations(id: string, content: MessageItem["content"]): readonly UrlCitation[] {
    let start = this.#content.startOf(id);
    const citations: UrlCitation[] = [];
    for (const part of content) {
      if (part.type !== "output_text") continue;
      for (const annotation of part.annotations) {
        const citation = readCitation(annotation, start);
        if (citation !== null) citations.push(citation);
      }
      start += part.text.length;
    }
    return citations;
  }

  #discard(id: string): void {
    this.#open.delete(id);
    if (this.#content.of(id) === "") return;
    if (this.#options.streamed) {
      throw new CodexNativeApiError(
        "upstream_connection_failed",
        "The model's answer broke off and was begun anew: what was streamed of it does not hold.",
      );
    }
    this.#content.drop(id);
  }

  /** An item that came without an id is the oldest open one of its kind, or was never announced. */
  #idFor(type: unknown): string {
    for (const [id, openType] of this.#open) {
      if (openType === type) return id;
    }
    return this.#options.newId(idPrefixOf(type));
  }
}

function contentOf(content: string): readonly Delta[] {
  return content === "" ? [] : [{ content }];
}

function reasoningOf(text: string): readonly Delta[] {
  return text === "" ? [] : [{ reasoning_content: text }];
}

/** Chat completions know no other kind of annotation. */
function readCitation(annotation: unknown, offset: number): UrlCitation | null {
  if (!isJsonObject(annotation) || annotation.type !== "url_citation") return null;
  const { start_index: start, end_index: end, title, url } = annotation;
  if (typeof start !== "number" || typeof end !== "number" || typeof url !== "string") return null;
  return {
    type: "url_citation",
    url_citation: {
      start_index: offset + start,
      end_index: offset + end,
      title: typeof title === "string" ? title : "",
      url,
    },
  };
}
