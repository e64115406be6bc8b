import t from "tap";
import { CodexNativeApiError } from "../../../../src/main/errors.js";
import type { TurnEvent } from "../../../../src/main/runtime/types.js";
import { ended, fakeStarted, messageItem } from "../../../support/fake-runtime.js";
import { newStream, play, playItems, sumTextDeltas, typesOf } from "../../../support/response-driver.js";

const started: TurnEvent = { type: "item.started", itemId: "msg_1", itemType: "message" };
const delta = (text: string, itemId = "msg_1"): TurnEvent => ({ type: "text.delta", itemId, delta: text });
const completed = (item: object): TurnEvent => ({ type: "item.completed", item: { ...item } });
const message = (text: string, id = "msg_1") => completed(messageItem(id, text));

const messageLife = [
  "output_item.added",
  "content_part.added",
  "output_text.delta",
  "output_text.done",
  "content_part.done",
  "output_item.done",
];

t.test("a message that comes whole lives the whole life of a streamed one", async (t) => {
  t.strictSame(typesOf(playItems([message("hello")])), messageLife);
});

t.test("deltas without an announcement announce the item", async (t) => {
  t.strictSame(typesOf(playItems([delta("hello"), message("hello")])), messageLife);
});

t.test("deltas short of the text are made up before the text is done", async (t) => {
  const events = playItems([started, delta("hel"), message("hello")]);
  t.strictSame(typesOf(events), [
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    ...messageLife.slice(2),
  ]);
  t.equal(sumTextDeltas(events).get("msg_1"), "hello");
});

t.test("the finished item is the truth where the deltas are no part of it", async (t) => {
  const events = playItems([started, delta("hxl"), message("hello")]);
  t.strictSame(typesOf(events), messageLife);
  t.match(events[3], { text: "hello" });
  t.match(events[5], { item: { content: [{ text: "hello" }] } });
});

t.test("an empty message has no delta", async (t) => {
  t.strictSame(
    typesOf(playItems([message("")])),
    messageLife.filter((type) => type !== "output_text.delta"),
  );
});

t.test("text that spans parts is told part by part", async (t) => {
  const parts = ["one ", "two ", "three"].map((text) => ({ type: "output_text", text }));
  const events = playItems([delta("one tw"), completed({ type: "message", id: "msg_1", content: parts })]);
  const deltas = events.flatMap((event) => (event.type === "response.output_text.delta" ? [event] : []));
  t.strictSame(
    deltas.map(({ content_index, delta }) => [content_index, delta]),
    [
      [0, "one tw"],
      [1, "o "],
      [2, "three"],
    ],
  );
});

t.test("citations are told before the text is done", async (t) => {
  const annotation = {
    type: "url_citation",
    url: "https://x.example",
    title: "X",
    start_index: 0,
    end_index: 2,
  };
  const content = [{ type: "output_text", text: "hi", annotations: [annotation] }];
  const events = playItems([completed({ type: "message", id: "msg_1", content })]);
  t.strictSame(typesOf(events), [
    ...messageLife.slice(0, 3),
    "output_text.annotation.added",
    ...messageLife.slice(3),
  ]);
  t.match(events[3], { annotation, annotation_index: 0, content_index: 0, output_index: 0 });
});

t.test("a refusal is told as one", async (t) => {
  const content = [{ type: "refusal", refusal: "No." }];
  const events = playItems([started, completed({ type: "message", id: "msg_1", content })]);
  t.strictSame(typesOf(events), [
    "output_item.added",
    "content_part.added",
    "refusal.delta",
    "refusal.done",
    "content_part.done",
    "output_item.done",
  ]);
  t.match(events[1], { part: { type: "refusal", refusal: "" } });
});

t.test("a refusal after text closes the text first", async (t) => {
  const content = [{ type: "refusal", refusal: "No." }];
  const events = playItems([delta("Sure"), completed({ type: "message", id: "msg_1", content })]);
  t.strictSame(typesOf(events), messageLife);
  t.match(events.at(-1), { item: { content } });
});

t.test("reasoning is told part by part, each closed before the next", async (t) => {
  const summary = (index: number, text: string): TurnEvent => {
    return { type: "reasoning_summary.delta", itemId: "rs_1", summaryIndex: index, delta: text };
  };
  const events = playItems([
    { type: "item.started", itemId: "rs_1", itemType: "reasoning" },
    { type: "reasoning_summary.part", itemId: "rs_1", summaryIndex: 0 },
    summary(0, "First"),
    { type: "reasoning_summary.part", itemId: "rs_1", summaryIndex: 1 },
    summary(1, "Sec"),
    { type: "reasoning_text.delta", itemId: "rs_1", contentIndex: 0, delta: "hm" },
    completed({
      type: "reasoning",
      id: "rs_1",
      summary: ["First", "Sec"].map((text) => ({ type: "summary_text", text })),
      content: [{ type: "reasoning_text", text: "hmm" }],
      encrypted_content: "secret",
    }),
  ]);
  t.strictSame(typesOf(events), [
    "output_item.added",
    "reasoning_summary_part.added",
    "reasoning_summary_text.delta",
    "reasoning_summary_text.done",
    "reasoning_summary_part.done",
    "reasoning_summary_part.added",
    "reasoning_summary_text.delta",
    "reasoning_summary_text.done",
    "reasoning_summary_part.done",
    "content_part.added",
    "reasoning_text.delta",
    "reasoning_text.delta",
    "reasoning_text.done",
    "content_part.done",
    "output_item.done",
  ]);
  t.notMatch(JSON.stringify(events), /secret/);
});

t.test("reasoning that comes whole lives the whole life", async (t) => {
  const item = {
    type: "reasoning",
    summary: [{ type: "summary_text", text: "S" }],
    encrypted_content: "enc",
  };
  const events = playItems([completed(item)], { include: ["reasoning.encrypted_content"] });
  t.strictSame(typesOf(events), [
    "output_item.added",
    "reasoning_summary_part.added",
    "reasoning_summary_text.delta",
    "reasoning_summary_text.done",
    "reasoning_summary_part.done",
    "output_item.done",
  ]);
  t.match(events.at(-1), { item: { id: /^rs_/, encrypted_content: "enc" } });
});

t.test("a function call is told with its arguments", async (t) => {
  const item = { type: "function_call", id: "fc_1", call_id: "call_1", name: "look", arguments: '{"a":1}' };
  const events = playItems([
    { type: "item.started", itemId: "fc_1", itemType: "function_call" },
    completed(item),
  ]);
  t.strictSame(typesOf(events), [
    "output_item.added",
    "function_call_arguments.delta",
    "function_call_arguments.done",
    "output_item.done",
  ]);
  t.match(events[0], { item: { ...item, arguments: "", status: "in_progress" } });
  t.match(events[2], { name: "look", arguments: '{"a":1}', item_id: "fc_1" });
  t.match(events[3], { item: { ...item, status: "completed" } });
});

t.test("a web search is told step by step", async (t) => {
  const item = {
    type: "web_search_call",
    id: "ws_1",
    status: "completed",
    action: { type: "search", query: "q" },
  };
  const steps = [
    "output_item.added",
    "web_search_call.in_progress",
    "web_search_call.searching",
    "web_search_call.completed",
    "output_item.done",
  ];
  const begun: TurnEvent = { type: "item.started", itemId: "ws_1", itemType: "web_search_call" };
  t.strictSame(typesOf(playItems([begun, completed(item)])), steps);
  t.strictSame(typesOf(playItems([completed(item)])), steps);
});

t.test("items are counted in the order they are announced, and numbers have no gaps", async (t) => {
  const { events, response } = play([
    { type: "item.started", itemId: "rs_1", itemType: "reasoning" },
    started,
    completed({ type: "reasoning", id: "rs_1", summary: [] }),
    message("a"),
    completed({ type: "image_generation_call", id: "ig_1", status: "completed", result: "x" }),
    message("b", "msg_2"),
  ]);
  t.strictSame(
    events.map(({ sequence_number }) => sequence_number),
    events.map((_event, index) => index),
  );
  const indexes = events.flatMap((event) =>
    event.type === "response.output_item.done" ? [[event.item.id, event.output_index]] : [],
  );
  t.strictSame(indexes, [
    ["rs_1", 0],
    ["msg_1", 1],
    ["ig_1", 2],
    ["msg_2", 3],
  ]);
  t.strictSame(
    response.output.map(({ id }) => id),
    ["rs_1", "msg_1", "ig_1", "msg_2"],
  );
});

t.test("an item completed twice is told once", async (t) => {
  t.strictSame(typesOf(playItems([message("a"), message("a"), delta("late")])), messageLife);
});

t.test("an item without an id keeps the one that was shown", async (t) => {
  const { id: _id, ...anonymous } = messageItem("x", "hello");
  const events = playItems([delta("hel"), completed(anonymous)]);
  t.equal(sumTextDeltas(events).get("msg_1"), "hello");
  t.match(events.at(-1), { item: { id: "msg_1" } });
});

t.test("a turn that starts a second time is shown to begin once", async (t) => {
  const stream = newStream();
  t.strictSame(typesOf(stream.start(fakeStarted)), ["created", "in_progress"]);
  t.strictSame(stream.start({ ...fakeStarted, threadId: "thread_2" }), []);
  stream.end(ended);
  t.equal(stream.body.native_api.response_mapping.native_thread_id, "thread_2");
});

const takenBack = (itemId = "msg_1"): TurnEvent => ({ type: "item.discarded", itemId });
const begun = (itemId: string, itemType: "reasoning" | "web_search_call"): TurnEvent => ({
  type: "item.started",
  itemId,
  itemType,
});

t.test("words that were streamed cannot be taken back: the response fails", async (t) => {
  const parts: Readonly<Record<string, readonly TurnEvent[]>> = {
    "a message": [started, delta("half a"), takenBack()],
    "a summary of reasoning": [
      begun("rs_1", "reasoning"),
      { type: "reasoning_summary.delta", itemId: "rs_1", summaryIndex: 0, delta: "Hm" },
      takenBack("rs_1"),
    ],
    "a text of reasoning": [
      begun("rs_1", "reasoning"),
      { type: "reasoning_text.delta", itemId: "rs_1", contentIndex: 0, delta: "Hm" },
      takenBack("rs_1"),
    ],
  };
  for (const [what, events] of Object.entries(parts)) {
    t.throws(() => play(events), { code: "upstream_connection_failed" }, what);
  }
});

t.test("what had no words ends in its place, and the next item has the next", async (t) => {
  const { events, response } = play([
    takenBack("never_shown"),
    begun("rs_1", "reasoning"),
    takenBack("rs_1"),
    begun("ws_1", "web_search_call"),
    takenBack("ws_1"),
    message("whole", "msg_2"),
  ]);
  t.match(response.output, [
    { id: "rs_1", summary: [] },
    { id: "ws_1", status: "failed" },
    { id: "msg_2", content: [{ text: "whole" }] },
  ]);
  const added = events.filter(({ type }) => type === "response.output_item.added");
  t.match(added, [{ output_index: 0 }, { output_index: 1 }, { output_index: 2 }]);
});

t.test("a response that is not streamed is as if what was taken back had never begun", async (t) => {
  for (const background of [true, false]) {
    const body = { stream: false, background };
    const first = [started, delta("half "), delta("a"), takenBack()];
    const { events, response } = play([...first, message("whole", "msg_2")], undefined, body);
    t.strictSame(typesOf(events.slice(2)), [...messageLife, "completed"]);
    t.match(events[2], { output_index: 0, item: { id: "msg_2" } });
    t.strictSame(
      events.map(({ sequence_number: number }) => number),
      events.map((_, index) => index),
    );
    t.match(response.output, [{ id: "msg_2" }]);
    t.equal(response.output.length, 1);
  }
});

t.test("a response that is not streamed shows an item when it is finished, its deltas joined", async (t) => {
  const stream = newStream({ stream: false, background: true });
  stream.start(fakeStarted);
  t.strictSame(
    [started, delta("hel"), delta("lo")].flatMap((event) => stream.push(event)),
    [],
  );
  t.match(
    stream.body.output,
    [{ content: [{ text: "hello" }] }],
    "who reads it meanwhile sees how far it is",
  );
  const events = stream.push(message("hello"));
  t.strictSame(typesOf(events), messageLife);
  t.equal(sumTextDeltas(events).get("msg_1"), "hello");
});

t.test("what was cut short ends as incomplete before the response does", async (t) => {
  const { events, response } = play([started, delta("hel")], {
    status: "incomplete",
    reason: "max_output_tokens",
  });
  t.strictSame(typesOf(events.slice(2)), [...messageLife, "incomplete"]);
  t.match(response, {
    status: "incomplete",
    incomplete_details: { reason: "max_output_tokens" },
    completed_at: null,
    output: [{ status: "incomplete", content: [{ text: "hel" }] }],
  });
});

t.test("a failure is told at once, with what there was", async (t) => {
  const { events, response } = play(
    [started, delta("hel")],
    new CodexNativeApiError("turn_stalled", "It stalled."),
  );
  t.strictSame(typesOf(events.slice(2)), [...messageLife.slice(0, 3), "failed"]);
  t.match(response, {
    status: "failed",
    error: { code: "turn_stalled", message: "It stalled." },
    output: [{ status: "incomplete", content: [{ text: "hel" }] }],
  });
});

t.test("a cancelled turn says so", async (t) => {
  const { events, response } = play([], { status: "cancelled" });
  t.strictSame(typesOf(events), ["created", "in_progress", "failed"]);
  t.match(response, { status: "cancelled", error: { code: "turn_cancelled" } });
});

t.test("nothing follows the terminal event", async (t) => {
  const stream = newStream();
  stream.start(fakeStarted);
  t.strictSame(typesOf(stream.end(ended)), ["completed"]);
  t.strictSame(stream.end(ended), []);
  t.strictSame(stream.fail(new CodexNativeApiError("internal_error", "late")), []);
  t.strictSame(stream.push(delta("late")), []);
  t.strictSame(stream.start(fakeStarted), []);
  t.equal(stream.body.status, "completed");
});

t.test("keys that Codex lays on items for itself are not passed on, the model's own are", async (t) => {
  const item = { ...messageItem("msg_1", "hi"), phase: "final_answer" };
  const { events, response } = play([completed(item)]);
  t.notMatch(JSON.stringify(events), /internal_chat_message_metadata_passthrough/);
  t.match(response.output, [
    { phase: "final_answer", content: [{ type: "output_text", text: "hi", annotations: [], logprobs: [] }] },
  ]);
});
