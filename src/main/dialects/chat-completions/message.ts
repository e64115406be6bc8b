import { isJsonObject } from "../../../workers/contract/json.js";
import type { JsonObject, TurnEvent } from "../../runtime/types.js";
import { isCommentary } from "../answers/commentary.js";
import { startedOver } from "../answers/started-over.js";
import { idPrefixOf, missingText, readModelItem } from "../responses/output-items.js";
import type { CustomToolCallItem, FunctionCallItem, MessageItem } from "../responses/wire-items.js";
import { AnswerText, ReasoningText } from "./message-texts.js";
import type { Delta, UrlCitation, WireMessage, WireToolCall } from "./wire-types.js";

/** The one message of a completion, put together from a turn's items. */
export class Message {
  /** The client has each delta as it is made, so that text cannot be taken back. */
  readonly #isStreamed: boolean;
  /** Text that turns out to be none of the answer would come too late: it is shown, or has ended the turn. */
  readonly #needsMarks: boolean;
  readonly #newId: (prefix: string) => string;
  readonly #content: AnswerText;
  readonly #reasoning = new ReasoningText();
  readonly #refusals: string[] = [];
  readonly #annotations: UrlCitation[] = [];
  /** Messages that the model marked as commentary when it began them. */
  readonly #commentary = new Set<string>();
  /** Messages under way that may turn out to be commentary, and are not read as the answer before that is known. */
  readonly #held = new Set<string>();
  /** Items begun and not complete, by id. */
  readonly #open = new Map<string, string>();
  readonly #calls: (FunctionCallItem | CustomToolCallItem)[] = [];

  /** @param stops sequences that end the answer; none of them is a part of it. */
  constructor(isStreamed: boolean, newId: (prefix: string) => string, stops: readonly string[]) {
    this.#isStreamed = isStreamed;
    this.#needsMarks = isStreamed || stops.length > 0;
    this.#newId = newId;
    this.#content = new AnswerText(stops);
  }

  /** A stop sequence ended it: nothing more is a part of it. */
  get isStopped(): boolean {
    return this.#content.isStopped;
  }

  /** The turn is over. What this adds to the message. */
  finish(): readonly Delta[] {
    return contentOf(this.#content.finish());
  }

  /**
   * What the event adds to the message, in order.
   *
   * @throws CodexNativeApiError `upstream_connection_failed` when the model begins an item again whose words were streamed.
   */
  push(event: TurnEvent): readonly Delta[] {
    if (this.isStopped) return [];
    switch (event.type) {
      case "item.started":
        this.#open.set(event.itemId, event.itemType);
        if (isCommentary(event)) this.#commentary.add(event.itemId);
        else if (this.#needsMarks && event.phaseFollows === true) this.#held.add(event.itemId);
        return [];
      case "text.delta":
        this.#open.set(event.itemId, "message");
        if (this.#held.has(event.itemId)) return [];
        if (this.#commentary.has(event.itemId)) {
          return reasoningOf(this.#reasoning.comment(event.itemId, event.delta));
        }
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

  /** The model's calls of these ids, in its order: those that wait for the caller. Codex answers the others itself. */
  callsOf(callIds: readonly string[]): readonly WireToolCall[] {
    const wanted = new Set(callIds);
    return this.#calls.filter((call) => wanted.has(call.call_id)).map(toWireCall);
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
    const model = readModelItem(raw, id, false);
    switch (model.kind) {
      case "message":
        return this.#completeMessage(model.item);
      case "reasoning":
        return reasoningOf(this.#reasoning.complete(model.item));
      case "function_call":
      case "custom_tool_call":
        this.#calls.push(model.item);
        return [];
      default:
        return [];
    }
  }

  #completeMessage(item: MessageItem): readonly Delta[] {
    const { id, content } = item;
    const whole = content.map((part) => (part.type === "output_text" ? part.text : "")).join("");
    this.#held.delete(id);
    if (this.#takesAsCommentary(item)) {
      this.#content.drop(id);
      return [...reasoningOf(this.#reasoning.completeComment(id, whole)), ...this.#refuse(content)];
    }
    const deltas: Delta[] = [];
    const { rest } = missingText(this.#content.of(id), whole);
    deltas.push(...contentOf(this.#content.append(id, rest)));
    // Streamed text stays as it is, also where the finished item differs.
    if (!this.#isStreamed) this.#content.replace(id, whole);
    if (!this.isStopped) deltas.push(...this.#refuse(content));
    const annotations = this.#readAnnotations(id, content);
    this.#annotations.push(...annotations);
    return annotations.length === 0 ? deltas : [...deltas, { annotations }];
  }

  /** Of a message that was shown as the answer already, the mark comes too late. */
  #takesAsCommentary(item: MessageItem): boolean {
    if (this.#commentary.has(item.id)) return true;
    return isCommentary(item) && (!this.#isStreamed || this.#content.of(item.id) === "");
  }

  #refuse(content: MessageItem["content"]): readonly Delta[] {
    const refusals = content.flatMap((part) =>
      part.type === "refusal" && part.refusal !== "" ? [part.refusal] : [],
    );
    this.#refusals.push(...refusals);
    return refusals.map((refusal) => ({ refusal }));
  }

  #readAnnotations(id: string, content: MessageItem["content"]): readonly UrlCitation[] {
    let start = this.#content.startOf(id);
    const citations: UrlCitation[] = [];
    for (const part of content) {
      if (part.type !== "output_text") continue;
      for (const annotation of part.annotations) {
        const citation = readCitation(annotation, start);
        if (citation === null) continue;
        // What they are about may be cut off.
        if (this.isStopped && citation.url_citation.end_index > this.#content.text.length) continue;
        citations.push(citation);
      }
      start += part.text.length;
    }
    return citations;
  }

  #discard(id: string): void {
    this.#open.delete(id);
    this.#held.delete(id);
    const hasWords = this.#content.of(id) !== "" || this.#reasoning.of(id) !== "";
    if (this.#isStreamed && hasWords) throw startedOver();
    this.#content.drop(id);
    this.#reasoning.drop(id);
  }

  /** An item that came without an id is the oldest open one of its kind, or was never announced. */
  #idFor(type: unknown): string {
    for (const [id, openType] of this.#open) {
      if (openType === type) return id;
    }
    return this.#newId(idPrefixOf(type));
  }
}

function toWireCall(call: FunctionCallItem | CustomToolCallItem): WireToolCall {
  const { call_id: id, name } = call;
  if (call.type === "custom_tool_call") return { id, type: "custom", custom: { name, input: call.input } };
  return { id, type: "function", function: { name, arguments: call.arguments } };
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
