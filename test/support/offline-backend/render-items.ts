import type { Frame, ResponseContext } from "./frame.js";
import type { JsonObject } from "./json.js";
import type {
  FunctionCallPart,
  OutputPart,
  RawItemPart,
  ReasoningPart,
  RefusalPart,
  TextPart,
  WebSearchPart,
} from "./output-parts.js";

/** The events of one output item, from `output_item.added` to `output_item.done`, in the real API's order. */
export function renderItem(part: OutputPart, context: ResponseContext): Iterable<Frame> {
  switch (part.kind) {
    case "text":
      return renderText(part, context);
    case "refusal":
      return renderRefusal(part, context);
    case "reasoning":
      return renderReasoning(part, context);
    case "function_call":
      return renderFunctionCall(part, context);
    case "web_search":
      return renderWebSearch(part, context);
    case "raw":
      return renderRaw(part, context);
  }
}

function* renderText(part: TextPart, context: ResponseContext): Iterable<Frame> {
  const id = context.newItemId("msg");
  const outputIndex = context.output.length;
  const place = { item_id: id, output_index: outputIndex, content_index: 0 };
  const phase = part.phase === undefined ? {} : { phase: part.phase };
  const open = { id, type: "message", status: "in_progress", role: "assistant", content: [], ...phase };
  yield context.frame("response.output_item.added", { output_index: outputIndex, item: open });
  const emptyText = { type: "output_text", text: "", annotations: [], logprobs: [] };
  yield context.frame("response.content_part.added", { ...place, part: emptyText });

  const placeJson = JSON.stringify(place).slice(1, -1);
  let delayMs = part.firstDelayMs;
  for (const deltaJson of part.deltasJson) {
    yield context.textDelta(placeJson, deltaJson, delayMs);
    delayMs = part.delayMs;
  }
  const annotations = part.annotations.map((citation) => ({
    type: "url_citation",
    url: citation.url,
    title: citation.title,
    start_index: citation.startIndex,
    end_index: citation.endIndex,
  }));
  for (const [index, annotation] of annotations.entries()) {
    const fields = { ...place, annotation_index: index, annotation };
    yield context.frame("response.output_text.annotation.added", fields);
  }
  yield context.frame("response.output_text.done", { ...place, text: part.text, logprobs: [] });
  const content = { type: "output_text", text: part.text, annotations, logprobs: [] };
  yield context.frame("response.content_part.done", { ...place, part: content });
  yield finish({ ...open, status: "completed", content: [content] }, context);
}

function* renderRefusal(part: RefusalPart, context: ResponseContext): Iterable<Frame> {
  const id = context.newItemId("msg");
  const outputIndex = context.output.length;
  const place = { item_id: id, output_index: outputIndex, content_index: 0 };
  const open = { id, type: "message", status: "in_progress", role: "assistant", content: [] };
  yield context.frame("response.output_item.added", { output_index: outputIndex, item: open });
  yield context.frame("response.content_part.added", { ...place, part: { type: "refusal", refusal: "" } });
  yield context.frame("response.refusal.delta", { ...place, delta: part.text });
  yield context.frame("response.refusal.done", { ...place, refusal: part.text });
  const content = { type: "refusal", refusal: part.text };
  yield context.frame("response.content_part.done", { ...place, part: content });
  yield finish({ ...open, status: "completed", content: [content] }, context);
}

function* renderReasoning(part: ReasoningPart, context: ResponseContext): Iterable<Frame> {
  const id = context.newItemId("rs");
  const outputIndex = context.output.length;
  const encrypted = part.encryptedContent === undefined ? {} : { encrypted_content: part.encryptedContent };
  const open = { id, type: "reasoning", summary: [] };
  yield context.frame("response.output_item.added", { output_index: outputIndex, item: open });
  const summary: JsonObject[] = [];
  for (const [index, deltas] of part.summary.entries()) {
    const place = { item_id: id, output_index: outputIndex, summary_index: index };
    const whole = { type: "summary_text", text: deltas.join("") };
    yield context.frame("response.reasoning_summary_part.added", {
      ...place,
      part: { type: "summary_text", text: "" },
    });
    for (const delta of deltas) {
      yield context.frame("response.reasoning_summary_text.delta", { ...place, delta }, part.delayMs);
    }
    yield context.frame("response.reasoning_summary_text.done", { ...place, text: whole.text });
    yield context.frame("response.reasoning_summary_part.done", { ...place, part: whole });
    summary.push(whole);
  }
  for (const [index, text] of part.content.entries()) {
    const place = { item_id: id, output_index: outputIndex, content_index: index };
    yield context.frame("response.reasoning_text.delta", { ...place, delta: text }, part.delayMs);
    yield context.frame("response.reasoning_text.done", { ...place, text });
  }
  const content = part.content.map((text) => ({ type: "reasoning_text", text }));
  yield finish({ ...open, summary, ...(content.length === 0 ? {} : { content }), ...encrypted }, context);
}

function* renderFunctionCall(part: FunctionCallPart, context: ResponseContext): Iterable<Frame> {
  const id = context.newItemId("fc");
  const outputIndex = context.output.length;
  const place = { item_id: id, output_index: outputIndex };
  const open = {
    id,
    type: "function_call",
    status: "in_progress",
    call_id: part.callId ?? context.newItemId("call"),
    name: part.name,
    ...(part.namespace === undefined ? {} : { namespace: part.namespace }),
    arguments: "",
  };
  yield context.frame("response.output_item.added", { output_index: outputIndex, item: open });
  const middle = Math.ceil(part.arguments.length / 2);
  for (const delta of [part.arguments.slice(0, middle), part.arguments.slice(middle)]) {
    yield context.frame("response.function_call_arguments.delta", { ...place, delta }, part.delayMs);
  }
  const whole = { arguments: part.arguments };
  yield context.frame("response.function_call_arguments.done", { ...place, name: part.name, ...whole });
  yield finish({ ...open, status: "completed", ...whole }, context);
}

function* renderWebSearch(part: WebSearchPart, context: ResponseContext): Iterable<Frame> {
  const id = context.newItemId("ws");
  const outputIndex = context.output.length;
  const place = { item_id: id, output_index: outputIndex };
  const open = { id, type: "web_search_call", status: "in_progress" };
  yield context.frame("response.output_item.added", { output_index: outputIndex, item: open });
  yield context.frame("response.web_search_call.in_progress", place);
  yield context.frame("response.web_search_call.searching", place, part.delayMs);
  yield context.frame("response.web_search_call.completed", place, part.delayMs);
  const sources = part.sources.map((url) => ({ type: "url", url }));
  const action = { type: "search", query: part.query, ...(sources.length === 0 ? {} : { sources }) };
  yield finish({ ...open, status: "completed", action }, context);
}

function* renderRaw(part: RawItemPart, context: ResponseContext): Iterable<Frame> {
  const item = { id: context.newItemId("item"), ...part.item };
  const fields = { output_index: context.output.length, item };
  yield context.frame("response.output_item.added", fields, part.delayMs);
  yield finish(item, context);
}

function finish(item: JsonObject, context: ResponseContext): Frame {
  const outputIndex = context.output.length;
  context.output.push(item);
  return context.frame("response.output_item.done", { output_index: outputIndex, item });
}
