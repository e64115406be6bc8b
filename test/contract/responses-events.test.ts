/** Pins what a streaming client sees, event by event: names, order, numbers and fields. */
import t from "tap";
import { play } from "../support/response-driver.js";

const { events } = play([
  { type: "item.started", itemId: "rs_1", itemType: "reasoning" },
  { type: "reasoning_summary.part", itemId: "rs_1", summaryIndex: 0 },
  { type: "reasoning_summary.delta", itemId: "rs_1", summaryIndex: 0, delta: "Why" },
  {
    type: "item.completed",
    item: {
      type: "reasoning",
      id: "rs_1",
      summary: [{ type: "summary_text", text: "Why" }],
      content: [{ type: "text", text: "Because" }],
      encrypted_content: null,
    },
  },
  { type: "item.started", itemId: "ws_1", itemType: "web_search_call" },
  {
    type: "item.completed",
    item: {
      type: "web_search_call",
      id: "ws_1",
      status: "completed",
      action: { type: "search", query: "q" },
    },
  },
  { type: "item.started", itemId: "msg_1", itemType: "message" },
  { type: "text.delta", itemId: "msg_1", delta: "Hel" },
  {
    type: "item.completed",
    item: {
      type: "message",
      id: "msg_1",
      role: "assistant",
      content: [
        { type: "output_text", text: "Hello", annotations: [{ type: "url_citation", url: "u" }] },
        { type: "refusal", refusal: "No" },
      ],
    },
  },
  {
    type: "item.completed",
    item: { type: "function_call", id: "fc_1", call_id: "c1", name: "f", arguments: "{}" },
  },
]);

const at = (item_id: string, output_index: number) => ({ item_id, output_index });
const part = (item_id: string, output_index: number, content_index: number) => ({
  ...at(item_id, output_index),
  content_index,
});
const summary = { ...at("rs_1", 0), summary_index: 0 };
const emptyText = { type: "output_text", text: "", annotations: [], logprobs: [] };
const text = {
  type: "output_text",
  text: "Hello",
  annotations: [{ type: "url_citation", url: "u" }],
  logprobs: [],
};
const reasoning = {
  type: "reasoning",
  id: "rs_1",
  summary: [{ type: "summary_text", text: "Why" }],
  content: [{ type: "reasoning_text", text: "Because" }],
};
const search = { type: "web_search_call", id: "ws_1" };
const message = { type: "message", id: "msg_1", role: "assistant" };
const call = { type: "function_call", id: "fc_1", call_id: "c1", name: "f" };

const pinned: readonly (readonly [string, object])[] = [
  ["response.output_item.added", { output_index: 0, item: { type: "reasoning", id: "rs_1", summary: [] } }],
  ["response.reasoning_summary_part.added", { ...summary, part: { type: "summary_text", text: "" } }],
  ["response.reasoning_summary_text.delta", { ...summary, delta: "Why" }],
  ["response.reasoning_summary_text.done", { ...summary, text: "Why" }],
  ["response.reasoning_summary_part.done", { ...summary, part: { type: "summary_text", text: "Why" } }],
  ["response.content_part.added", { ...part("rs_1", 0, 0), part: { type: "reasoning_text", text: "" } }],
  ["response.reasoning_text.delta", { ...part("rs_1", 0, 0), delta: "Because" }],
  ["response.reasoning_text.done", { ...part("rs_1", 0, 0), text: "Because" }],
  [
    "response.content_part.done",
    { ...part("rs_1", 0, 0), part: { type: "reasoning_text", text: "Because" } },
  ],
  ["response.output_item.done", { output_index: 0, item: reasoning }],

  [
    "response.output_item.added",
    { output_index: 1, item: { ...search, status: "in_progress", action: { type: "search" } } },
  ],
  ["response.web_search_call.in_progress", at("ws_1", 1)],
  ["response.web_search_call.searching", at("ws_1", 1)],
  ["response.web_search_call.completed", at("ws_1", 1)],
  [
    "response.output_item.done",
    { output_index: 1, item: { ...search, status: "completed", action: { type: "search", query: "q" } } },
  ],

  [
    "response.output_item.added",
    { output_index: 2, item: { ...message, status: "in_progress", content: [] } },
  ],
  ["response.content_part.added", { ...part("msg_1", 2, 0), part: emptyText }],
  ["response.output_text.delta", { ...part("msg_1", 2, 0), delta: "Hel", logprobs: [] }],
  ["response.output_text.delta", { ...part("msg_1", 2, 0), delta: "lo", logprobs: [] }],
  [
    "response.output_text.annotation.added",
    { ...part("msg_1", 2, 0), annotation_index: 0, annotation: { type: "url_citation", url: "u" } },
  ],
  ["response.output_text.done", { ...part("msg_1", 2, 0), text: "Hello", logprobs: [] }],
  ["response.content_part.done", { ...part("msg_1", 2, 0), part: text }],
  ["response.content_part.added", { ...part("msg_1", 2, 1), part: { type: "refusal", refusal: "" } }],
  ["response.refusal.delta", { ...part("msg_1", 2, 1), delta: "No" }],
  ["response.refusal.done", { ...part("msg_1", 2, 1), refusal: "No" }],
  ["response.content_part.done", { ...part("msg_1", 2, 1), part: { type: "refusal", refusal: "No" } }],
  [
    "response.output_item.done",
    {
      output_index: 2,
      item: { ...message, status: "completed", content: [text, { type: "refusal", refusal: "No" }] },
    },
  ],

  [
    "response.output_item.added",
    { output_index: 3, item: { ...call, arguments: "", status: "in_progress" } },
  ],
  ["response.function_call_arguments.delta", { ...at("fc_1", 3), delta: "{}" }],
  ["response.function_call_arguments.done", { ...at("fc_1", 3), name: "f", arguments: "{}" }],
  ["response.output_item.done", { output_index: 3, item: { ...call, arguments: "{}", status: "completed" } }],
];

t.test("the events of each kind of item are these, in this order, with these fields", async (t) => {
  t.strictSame(
    JSON.parse(JSON.stringify(events.slice(2, -1))),
    pinned.map(([type, fields], index) => ({ type, sequence_number: index + 2, ...fields })),
  );
});

t.test("around them stand the response's own", async (t) => {
  const life = [events[0], events[1], events.at(-1)];
  t.match(life, [
    {
      type: "response.created",
      sequence_number: 0,
      response: { status: "in_progress", output: [], usage: null },
    },
    { type: "response.in_progress", sequence_number: 1, response: { status: "in_progress", output: [] } },
    { type: "response.completed", sequence_number: pinned.length + 2, response: { status: "completed" } },
  ]);
  const done = pinned.flatMap(([type, fields]) =>
    type === "response.output_item.done" && "item" in fields ? [fields.item] : [],
  );
  t.match(events.at(-1), { response: { output: done } });
});
