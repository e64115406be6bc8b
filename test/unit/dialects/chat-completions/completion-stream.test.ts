import t from "tap";
import { CodexNativeApiError } from "../../../../src/main/errors.js";
import type { TurnEvent } from "../../../../src/main/runtime/types.js";
import {
  callItem,
  chunksOf,
  deltasOf,
  joinDeltas,
  newCompletion,
  playStream,
  playWhole,
} from "../../../support/chat-driver.js";
import { ended, fakeStarted, messageItem } from "../../../support/fake-runtime.js";

const text = (id: string, deltas: readonly string[], whole = deltas.join("")): readonly TurnEvent[] => [
  { type: "item.started", itemId: id, itemType: "message" },
  ...deltas.map((delta): TurnEvent => ({ type: "text.delta", itemId: id, delta })),
  { type: "item.completed", item: messageItem(id, whole) },
];

const thought = (id: string, parts: readonly string[]): readonly TurnEvent[] => [
  { type: "item.started", itemId: id, itemType: "reasoning" },
  ...parts.map(
    (delta, summaryIndex): TurnEvent => ({
      type: "reasoning_summary.delta",
      itemId: id,
      summaryIndex,
      delta,
    }),
  ),
  {
    type: "item.completed",
    item: {
      type: "reasoning",
      id,
      summary: parts.map((part) => ({ type: "summary_text", text: part })),
      encrypted_content: "gAAAA",
    },
  },
];

t.test("an answer is OpenAI's object, with native_api beside it", async (t) => {
  t.strictSame(playWhole(text("msg_1", ["Hel", "lo"]), { status: "completed" }, { metadata: { a: "b" } }), {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_700_000_000,
    model: "gpt-fake",
    service_tier: "default",
    system_fingerprint: null,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "Hello", refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: {
      prompt_tokens: 11,
      completion_tokens: 7,
      total_tokens: 18,
      prompt_tokens_details: { cached_tokens: 3, cache_write_tokens: 5, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 2,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
    metadata: { a: "b" },
    native_api: {
      route_path: "/v1/chat/completions",
      request_target: {
        provider_profile_id: "openai",
        provider_kind: "chatgpt",
        account_id: "acct_1",
        worker_id: "worker-1",
        app_server_generation: 4,
        task_class: null,
      },
      response_mapping: {
        response_id: null,
        chat_completion_id: "chatcmpl-1",
        previous_response_id: null,
        native_thread_id: "thread_1",
        native_turn_id: "turn_1",
      },
      continuation: {
        resumed: false,
        mode: null,
        previous_response_id: null,
        source_native_thread_id: null,
        source_native_turn_id: null,
        source_response_id: null,
        source_route_kind: null,
      },
      queue: { waited_ms: null, refusals: null },
      managed_texts: [],
      prompt_form: null,
      file_access: null,
      requested_model: null,
      ignored_parameters: [],
    },
    native_runtime: {
      thread_id: "thread_1",
      turn_id: "turn_1",
      bridge_session_id: "thread_1",
      provider_profile_id: "openai",
    },
  });
});

t.test(
  "a stream begins with the role, ends with the reason, and all its chunks are one completion's",
  async (t) => {
    const parts = playStream(text("msg_1", ["Hel", "lo"]));
    t.strictSame(deltasOf(parts), [
      { role: "assistant", content: "" },
      { content: "Hel" },
      { content: "lo" },
      {},
    ]);
    const chunks = chunksOf(parts);
    t.strictSame(
      chunks.map(({ choices }) => choices[0]?.finish_reason),
      [null, null, null, "stop"],
    );
    for (const chunk of chunks) {
      t.match(chunk, {
        id: "chatcmpl-1",
        object: "chat.completion.chunk",
        created: 1_700_000_000,
        model: "gpt-fake",
        system_fingerprint: null,
      });
      t.notOk("usage" in chunk);
    }
    t.match(chunks[0]?.native_api, { response_mapping: { chat_completion_id: "chatcmpl-1" } });
    t.match(chunks.at(-1)?.native_api, { response_mapping: { native_turn_id: "turn_1" } });
  },
);

t.test("usage has a chunk of its own, after the reason, where it is asked for", async (t) => {
  const body = { stream_options: { include_usage: true } };
  const chunks = chunksOf(playStream(text("msg_1", ["Hi"]), { status: "completed" }, body));
  t.strictSame(
    chunks.slice(0, -1).map(({ usage }) => usage),
    [null, null, null],
  );
  t.match(chunks.at(-1), { choices: [], usage: { total_tokens: 18 } });
  t.equal(chunks.at(-1)?.choices.length, 0);
});

t.test("what deltas missed is told with the finished item", async (t) => {
  t.equal(joinDeltas(playStream(text("msg_1", ["Hel"], "Hello")), "content"), "Hello");
  t.equal(joinDeltas(playStream(text("msg_1", [], "Hello")), "content"), "Hello");
});

t.test("whole, the finished item is the truth, whatever the deltas were", async (t) => {
  t.equal(playWhole(text("msg_1", ["Hxllo"], "Hello")).choices[0].message.content, "Hello");
});

t.test("a message that never finished counts with what it has", async (t) => {
  const events = text("msg_1", ["Hel"]).slice(0, -1);
  t.equal(playWhole(events).choices[0].message.content, "Hel");
  t.equal(joinDeltas(playStream(events), "content"), "Hel");
});

t.test("several messages are one content, the same in both forms", async (t) => {
  const events = [...text("msg_1", ["First."]), ...text("msg_2", ["Sec", "ond."])];
  t.equal(playWhole(events).choices[0].message.content, "First.\n\nSecond.");
  t.equal(joinDeltas(playStream(events), "content"), "First.\n\nSecond.");
});

t.test("calls that wait for the caller are told with index, id, name and arguments", async (t) => {
  const events: readonly TurnEvent[] = [
    { type: "item.completed", item: callItem("c1", "weather", { city: "Rome" }) },
    { type: "item.completed", item: callItem("c2", "weather", { city: "Oslo" }) },
    // Codex itself answered this one: nobody declared the function.
    { type: "item.completed", item: callItem("c3", "shell", {}) },
  ];
  const outcome = { status: "parked", callIds: ["c1", "c2"] } as const;
  const calls = [
    { id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } },
    { id: "c2", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } },
  ];
  const [choice] = playWhole(events, outcome).choices;
  t.strictSame(choice, {
    index: 0,
    message: { role: "assistant", content: null, refusal: null, annotations: [], tool_calls: calls },
    logprobs: null,
    finish_reason: "tool_calls",
  });
  const parts = playStream(events, outcome);
  t.strictSame(
    deltasOf(parts).flatMap(({ tool_calls: told = [] }) => told),
    calls.map((call, index) => ({ index, ...call })),
  );
  t.equal(chunksOf(parts).at(-1)?.choices[0]?.finish_reason, "tool_calls");
});

t.test("an incomplete turn says why it ended", async (t) => {
  const reasons = [
    ["max_output_tokens", "length"],
    ["content_filter", "content_filter"],
    ["something_new", "length"],
  ] as const;
  for (const [reason, expected] of reasons) {
    const { choices } = playWhole(text("msg_1", ["Hel"]), { status: "incomplete", reason });
    t.match(choices[0], { finish_reason: expected, message: { content: "Hel" } });
  }
});

t.test("a refusal is told as one", async (t) => {
  const content = [{ type: "refusal", refusal: "I will not." }];
  const events: readonly TurnEvent[] = [
    { type: "item.started", itemId: "msg_1", itemType: "message" },
    { type: "item.completed", item: { type: "message", id: "msg_1", role: "assistant", content } },
  ];
  t.match(playWhole(events).choices[0], {
    message: { content: null, refusal: "I will not." },
    finish_reason: "stop",
  });
  t.equal(joinDeltas(playStream(events), "refusal"), "I will not.");
});

t.test("reasoning is told as reasoning_content, part after part", async (t) => {
  const events = [
    ...thought("rs_1", ["One.", "Two."]),
    ...thought("rs_2", ["Three."]),
    ...text("msg_1", ["Hi"]),
  ];
  t.match(playWhole(events).choices[0].message, {
    content: "Hi",
    reasoning_content: "One.\n\nTwo.\n\nThree.",
  });
  t.equal(joinDeltas(playStream(events), "reasoning_content"), "One.\n\nTwo.\n\nThree.");
  t.notMatch(JSON.stringify(playWhole(events)), /gAAAA/);
  t.notOk("reasoning_content" in playWhole(text("msg_1", ["Hi"])).choices[0].message);
});

t.test(
  "a summary that came without deltas is told all the same; the model's own text only where it has none",
  async (t) => {
    const item = (summary: readonly string[]) => ({
      type: "reasoning",
      id: "rs_1",
      summary: summary.map((part) => ({ type: "summary_text", text: part })),
      content: [{ type: "reasoning_text", text: "raw" }],
    });
    const told = (summary: readonly string[]) =>
      joinDeltas(playStream([{ type: "item.completed", item: item(summary) }]), "reasoning_content");
    t.equal(told(["A", "B"]), "A\n\nB");
    t.equal(told([]), "raw");
  },
);

t.test("citations have their places in the content", async (t) => {
  const cited = {
    type: "message",
    id: "msg_2",
    role: "assistant",
    content: [
      {
        type: "output_text",
        text: "See it.",
        annotations: [
          { type: "url_citation", url: "https://x.test", title: "X", start_index: 0, end_index: 3 },
          { type: "file_citation", file_id: "file_1", index: 0 },
        ],
      },
    ],
  };
  const events: readonly TurnEvent[] = [...text("msg_1", ["Look:"]), { type: "item.completed", item: cited }];
  const expected = [
    {
      type: "url_citation",
      url_citation: { start_index: 7, end_index: 10, title: "X", url: "https://x.test" },
    },
  ];
  const { content, annotations } = playWhole(events).choices[0].message;
  t.strictSame(annotations, expected);
  t.equal(content?.slice(7, 10), "See");
  t.strictSame(
    deltasOf(playStream(events)).flatMap((delta) => delta.annotations ?? []),
    expected,
  );
});

const broken: readonly TurnEvent[] = [
  ...text("msg_1", ["Hal"]).slice(0, -1),
  { type: "item.discarded", itemId: "msg_1" },
];

const brokenThought: readonly TurnEvent[] = [
  ...thought("rs_1", ["Hm."]).slice(0, -1),
  { type: "item.discarded", itemId: "rs_1" },
];

t.test("what the model takes back is dropped from a whole answer", async (t) => {
  const { message } = playWhole([...brokenThought, ...broken, ...text("msg_2", ["Hello"])]).choices[0];
  t.match(message, { content: "Hello", reasoning_content: undefined });
});

t.test("what the model takes back cannot be taken back from a stream", async (t) => {
  t.throws(() => playStream(broken), { code: "upstream_connection_failed" });
  t.throws(() => playStream(brokenThought), { code: "upstream_connection_failed" });
  const silent: readonly TurnEvent[] = [
    { type: "item.started", itemId: "msg_1", itemType: "message" },
    { type: "item.discarded", itemId: "msg_1" },
    { type: "item.started", itemId: "rs_1", itemType: "reasoning" },
    { type: "item.discarded", itemId: "rs_1" },
  ];
  t.equal(joinDeltas(playStream([...silent, ...text("msg_2", ["Hello"])]), "content"), "Hello");
});

t.test("an error takes the place of what was to come", async (t) => {
  const fault = new CodexNativeApiError("turn_stalled", "It stalled.");
  const parts = playStream(text("msg_1", ["Hel"]), fault);
  t.strictSame(parts.at(-1), {
    error: { message: "It stalled.", type: "server_error", param: null, code: "turn_stalled" },
  });
});

t.test("nothing is told until the model begins, and nothing after the end", async (t) => {
  const stream = newCompletion({ stream: true });
  stream.start(fakeStarted);
  t.strictSame(stream.push({ type: "model_call.completed", usage: null }), []);
  const begun = { type: "item.started", itemId: "msg_1", itemType: "message" } as const;
  t.match(stream.push(begun), [{ choices: [{ delta: { role: "assistant" } }] }]);
  t.strictSame(stream.push(begun), []);
  stream.end(ended);
  t.strictSame(stream.push({ type: "text.delta", itemId: "msg_1", delta: "x" }), []);
  t.strictSame(stream.end(ended), []);
  t.strictSame(stream.fail(new CodexNativeApiError("turn_stalled", "")), []);
});

t.test("a turn that said nothing is an empty answer in both forms", async (t) => {
  t.equal(playWhole([]).choices[0].message.content, "");
  t.strictSame(deltasOf(playStream([])), [{ role: "assistant", content: "" }, {}]);
});

t.test("what the model did not obey is listed", async (t) => {
  const body = { tools: [{ type: "function", function: { name: "f" } }], tool_choice: "required" };
  const { native_api: native } = playWhole(text("msg_1", ["No."]), { status: "completed" }, body);
  t.strictSame(native.ignored_parameters, ["tool_choice"]);
  const format = { response_format: { type: "json_object" } };
  const prose = playWhole(text("msg_1", ["No."]), { status: "completed" }, format);
  t.strictSame(prose.native_api.ignored_parameters, ["response_format"]);
  const json = playWhole(text("msg_1", ["{}"]), { status: "completed" }, format);
  t.strictSame(json.native_api.ignored_parameters, []);
});

const markedMessage = (
  id: string,
  deltas: readonly string[],
  { phase, marks = "start" }: { phase: string; marks?: "start" | "end" | "follow" },
): readonly TurnEvent[] => [
  {
    type: "item.started",
    itemId: id,
    itemType: "message",
    ...(marks === "start" && { phase }),
    ...(marks === "follow" && { phaseFollows: true as const }),
  },
  ...deltas.map((delta): TurnEvent => ({ type: "text.delta", itemId: id, delta })),
  { type: "item.completed", item: { ...messageItem(id, deltas.join("")), phase } },
];

const commentary = { phase: "commentary" } as const;

t.test("commentary goes where reasoning goes, in the order in which it came", async (t) => {
  const events = [
    ...thought("rs_1", ["I weigh it."]),
    ...markedMessage("msg_1", ["Let me ", "look."], commentary),
    ...text("msg_2", ["It is ", "sunny."]),
    ...markedMessage("msg_3", ["Checked."], commentary),
    ...markedMessage("msg_4", ["Warm."], { phase: "final_answer" }),
  ];
  const { message } = playWhole(events).choices[0];
  t.equal(message.content, "It is sunny.\n\nWarm.");
  t.equal(message.reasoning_content, "I weigh it.\n\nLet me look.\n\nChecked.");
  const parts = playStream(events);
  t.equal(joinDeltas(parts, "content"), message.content);
  t.equal(joinDeltas(parts, "reasoning_content"), message.reasoning_content);
  t.ok(deltasOf(parts).some((delta) => delta.reasoning_content === "look."));
});

t.test("commentary alone, and then calls, is no content", async (t) => {
  const parked = { status: "parked", callIds: ["call_1"] } as const;
  const events: readonly TurnEvent[] = [
    ...markedMessage("msg_1", ["I call it."], commentary),
    { type: "item.completed", item: callItem("call_1", "weather", {}) },
  ];
  const tools = [{ type: "function", function: { name: "weather" } }];
  t.match(playWhole(events, parked, { tools }).choices[0].message, {
    content: null,
    reasoning_content: "I call it.",
    tool_calls: [{ id: "call_1" }],
  });
  const [first, ...others] = deltasOf(playStream(events, parked, { tools }));
  t.strictSame(first, { role: "assistant", content: null });
  t.notOk(others.some((delta) => "content" in delta));
});

t.test(
  "a mark that comes with the finished message only is obeyed as far as nothing was shown",
  async (t) => {
    const late = markedMessage("msg_1", ["Let me look."], { ...commentary, marks: "end" });
    t.match(playWhole(late).choices[0].message, { content: "", reasoning_content: "Let me look." });
    // Streamed text cannot be taken back.
    t.equal(joinDeltas(playStream(late), "content"), "Let me look.");

    const held = markedMessage("msg_1", ["Let me look."], { ...commentary, marks: "follow" });
    const answer = markedMessage("msg_2", ["It is ", "sunny."], { phase: "final_answer", marks: "follow" });
    const parts = playStream([...held, ...answer]);
    t.equal(joinDeltas(parts, "content"), "It is sunny.");
    t.equal(joinDeltas(parts, "reasoning_content"), "Let me look.");
  },
);

t.test(
  "a refusal within commentary is told, and commentary that the model takes back harms nothing",
  async (t) => {
    const refusing: TurnEvent = {
      type: "item.completed",
      item: {
        ...messageItem("msg_1", ""),
        phase: "commentary",
        content: [{ type: "refusal", refusal: "No." }],
      },
    };
    t.match(playWhole([refusing]).choices[0].message, { content: null, refusal: "No." });
    const [started, delta] = markedMessage("msg_1", ["Let me look."], commentary);
    if (started === undefined || delta === undefined) throw new Error("a message has a beginning");
    const brokenOff: readonly TurnEvent[] = [started, delta, { type: "item.discarded", itemId: "msg_1" }];
    t.throws(() => playStream(brokenOff), { code: "upstream_connection_failed" });
    const { message } = playWhole([...brokenOff, ...text("msg_2", ["Hi"])]).choices[0];
    t.match(message, { content: "Hi", reasoning_content: undefined });
  },
);

t.test("only an answer that begins with its text begins with an empty text", async (t) => {
  const parked = { status: "parked", callIds: ["call_1"] } as const;
  const call: TurnEvent = { type: "item.completed", item: callItem("call_1", "weather", {}) };
  const tools = [{ type: "function", function: { name: "weather" } }];
  t.strictSame(deltasOf(playStream([call], parked, { tools }))[0], { role: "assistant", content: null });
  const thoughtFirst = deltasOf(playStream([...thought("rs_1", ["Hm."]), call], parked, { tools }));
  t.strictSame(thoughtFirst[0], { role: "assistant", content: null });
  t.strictSame(deltasOf(playStream(text("msg_1", ["Hi"])))[0], { role: "assistant", content: "" });
});

t.test("an answer ends before its stop sequence, streamed as whole, with all that follows", async (t) => {
  const parked = { status: "parked", callIds: ["call_1"] } as const;
  const events: readonly TurnEvent[] = [
    ...thought("rs_1", ["The word is END."]),
    ...text("msg_1", ["One, E", "N", "D two"]),
    ...text("msg_2", ["three"]),
    { type: "item.completed", item: callItem("call_1", "weather", { city: "END" }) },
  ];
  const body = { stop: ["END", "three"], tools: [{ type: "function", function: { name: "weather" } }] };
  const [choice] = playWhole(events, { status: "completed" }, body).choices;
  t.match(choice, { finish_reason: "stop", message: { content: "One, " } });
  t.match(choice.message.reasoning_content, "The word is END.");
  const parts = playStream(events, { status: "completed" }, body);
  t.equal(joinDeltas(parts, "content"), "One, ");
  t.notMatch(JSON.stringify(parts), /"content":"[^"]*(?:EN|three)/);

  const completion = newCompletion(body);
  completion.start(fakeStarted);
  t.equal(completion.isSatisfied, false);
  for (const event of events) completion.push(event);
  t.equal(completion.isSatisfied, true);
  // Without a sequence in it, the same answer is whole.
  const whole = playWhole(events, parked, { ...body, stop: "never" }).choices[0];
  t.match(whole, { finish_reason: "tool_calls", message: { content: "One, END two\n\nthree" } });
});

t.test("what was held back as the beginning of a stop sequence comes with the end", async (t) => {
  const parts = playStream(text("msg_1", ["One", " EN"]), { status: "completed" }, { stop: "END" });
  t.strictSame(
    deltasOf(parts).flatMap(({ content }) => content ?? []),
    ["", "One", " ", "EN"],
  );
  t.equal(
    playWhole(text("msg_1", ["One EN"]), undefined, { stop: "END" }).choices[0].message.content,
    "One EN",
  );
});

t.test("a text that the model takes back, or mends, stops nothing", async (t) => {
  const discarded: TurnEvent = { type: "item.discarded", itemId: "msg_1" };
  const held = text("msg_1", ["One E"]).slice(0, 2);
  const mended = playWhole([...held, discarded, ...text("msg_2", ["Two ND"])], undefined, { stop: "END" });
  t.equal(mended.choices[0].message.content, "Two ND");
  const replaced = playWhole(
    [...held, { type: "item.completed", item: messageItem("msg_1", "One F") }],
    undefined,
    {
      stop: "E",
    },
  );
  t.equal(replaced.choices[0].message.content, "One ", "what was found is final");
});

t.test("commentary stops nothing, also where its mark is yet to come", async (t) => {
  for (const marks of ["start", "follow"] as const) {
    const events = [
      ...markedMessage("msg_1", ["At the END ", "I look."], { phase: "commentary", marks }),
      ...markedMessage("msg_2", ["Warm. END"], { phase: "final_answer", marks }),
    ];
    const { message } = playWhole(events, undefined, { stop: "END" }).choices[0];
    t.match(message, { content: "Warm. ", reasoning_content: "At the END I look." }, marks);
  }
});
