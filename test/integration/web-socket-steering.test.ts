/** `response.steer`: input for a response that is still being made. */
import t, { type Test } from "tap";
import { CodexNativeApiError } from "../../src/main/errors.js";
import type { FakeTurn } from "../support/fake-runtime.js";
import { serveFake } from "../support/http-fixture.js";
import { SocketCaller } from "../support/web-socket-caller.js";

/** Says a word, and the rest once it may. */
function sayInTwo() {
  let goOn = () => {};
  const mayGoOn = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const script = async (turn: FakeTurn) => {
    turn.start();
    await turn.emitText("msg_1", ["Hel"]);
    await mayGoOn;
    return turn.result();
  };
  return { script, goOn };
}

const idOf = (response: unknown) => (response as { readonly id: string }).id;
const textOf = (item: object | undefined) =>
  (item as { readonly content?: readonly { readonly text: string }[] } | undefined)?.content?.[0]?.text;

/** A response that waits for the output of its call, once it may go on. */
async function askForWeather(t: Test, more: object = {}) {
  const { runtime, url } = await serveFake(t);
  const { script, goOn } = sayInTwo();
  const call = { type: "function_call", call_id: "call_1", name: "weather", arguments: "{}" };
  runtime.script = async (turn) => {
    const result = await script(turn);
    await turn.emit({ type: "item.completed", item: call });
    return { ...result, outcome: { status: "parked", callIds: ["call_1"] } };
  };
  const caller = await SocketCaller.open(t, url);
  const tools = [{ type: "function", name: "weather", parameters: {}, strict: false }];
  caller.create({ input: "Weather?", store: false, tools, ...more });
  const id = idOf((await caller.next("response.created")).response);
  return { runtime, tools, caller, goOn, id };
}

t.test("input for a running response begins another one when that has ended", async (t) => {
  const { runtime, url } = await serveFake(t);
  const { script, goOn } = sayInTwo();
  runtime.script = script;
  const caller = await SocketCaller.open(t, url);
  caller.create({ input: "Plan.", instructions: "Be brief.", store: false, stream_id: "main" });
  caller.create({ input: "Comes later.", store: false, stream_id: "main" });
  const first = idOf((await caller.next("response.created")).response);
  for (const input of ["Small, please.", [{ role: "user", content: "And cheap." }]]) {
    caller.send({ type: "response.steer", previous_response_id: first, input });
    t.match(await caller.next("response.steer.accepted"), {
      stream_id: "main",
      sequence_number: Number,
      steer: { id: /^steer_/, previous_response_id: first },
    });
  }
  goOn();
  t.match(await caller.ended(), { id: first, status: "completed" });
  const second = await caller.ended();
  t.match(second, {
    status: "completed",
    previous_response_id: first,
    instructions: "Be brief.",
    store: false,
  });
  t.strictSame(
    runtime.turns[1]?.request.items.slice(-2).map(textOf),
    ["Small, please.", "And cheap."],
    "both, in order, and before what the caller asks next",
  );
  t.equal(textOf(runtime.turns[1]?.request.items[0]), "Plan.");
  const third = await caller.ended();
  t.match(third, { status: "completed", previous_response_id: null });
  t.equal(textOf(runtime.turns[2]?.request.items[0]), "Comes later.");
});

t.test("where a response waits for its calls, the input goes with their outputs", async (t) => {
  const { runtime, tools, caller, goOn, id: first } = await askForWeather(t);
  caller.send({ type: "response.steer", previous_response_id: first, input: "In Rome." });
  await caller.next("response.steer.accepted");
  goOn();
  await caller.ended();
  t.match(await caller.next("response.steer.pending"), {
    steer: { previous_response_id: first },
    reason: "waiting_for_required_input",
    required_input: [{ type: "function_call_output", call_id: "call_1", name: "weather" }],
  });
  runtime.script = async (turn) => {
    turn.start();
    return turn.result();
  };
  const output = { type: "function_call_output", call_id: "call_1", output: "sunny" };
  const next = { store: false, tools, previous_response_id: first, input: [output] };
  t.match(await caller.ask(next), { status: "completed", previous_response_id: first });
  const items = runtime.turns.at(-1)?.request.items ?? [];
  t.match(items.slice(-2), [{ role: "user" }, { type: "function_call_output", output: "sunny" }]);
  t.equal(textOf(items.at(-2)), "In Rome.");
});

t.test("input that cannot be used is given back", async (t) => {
  const { runtime, url } = await serveFake(t);
  const { script, goOn } = sayInTwo();
  runtime.script = async (turn) => {
    await script(turn);
    throw new CodexNativeApiError("upstream_connection_failed", "Cut.");
  };
  const caller = await SocketCaller.open(t, url);
  const steer = (fields: object) => caller.send({ type: "response.steer", ...fields });
  const failed = async (code: string, given: object) =>
    t.match(await caller.next("response.steer.failed"), {
      steer: given,
      error: { type: "invalid_request_error", code, message: String },
    });
  steer({ previous_response_id: "resp_none", input: "hi" });
  await failed("response_not_found", { previous_response_id: "resp_none", input: "hi" });
  caller.create({ input: "hi" });
  const { id } = (await caller.next("response.created")).response as { readonly id: string };
  for (const input of ["", [], [{ role: "assistant", content: "hi" }], [{ type: "reasoning" }], 7, null]) {
    steer({ previous_response_id: id, input });
    await failed("invalid_input", { previous_response_id: id, input });
  }
  for (const fields of [{ input: "hi" }, { input: "hi", previous_response_id: id, model: "gpt-fake" }]) {
    steer(fields);
    t.match(await caller.next("error"), { status: 400, error: { code: "invalid_request" } });
  }
  for (let at = 0; at < 17; at += 1) steer({ previous_response_id: id, input: `${at}` });
  await failed("too_many_pending_steers", { previous_response_id: id, input: "16" });
  goOn();
  t.match(await caller.ended(), { status: "failed" });
  await failed("successor_creation_failed", { id: /^steer_/, previous_response_id: id, input: "0" });
  steer({ previous_response_id: id, input: "late" });
  for (let at = 1; at < 16; at += 1) await failed("successor_creation_failed", { input: `${at}` });
  await failed("response_already_completed", { input: "late" });
  t.equal(runtime.turns.length, 1);
});

t.test("it waits for the outputs of every kind of call", async (t) => {
  const { runtime, url } = await serveFake(t);
  const { script, goOn } = sayInTwo();
  const calls = [
    { type: "custom_tool_call", call_id: "call_1", name: "note", input: "x" },
    { type: "shell_call", call_id: "call_2", action: { commands: ["ls"] }, status: "completed" },
    { type: "apply_patch_call", call_id: "call_3", operation: { type: "delete_file", path: "a" } },
  ];
  runtime.script = async (turn) => {
    const result = await script(turn);
    for (const item of calls) await turn.emit({ type: "item.completed", item });
    return { ...result, outcome: { status: "parked", callIds: calls.map((call) => call.call_id) } };
  };
  const caller = await SocketCaller.open(t, url);
  caller.create({ input: "Work.", store: false, tools: [{ type: "shell" }, { type: "apply_patch" }] });
  const first = idOf((await caller.next("response.created")).response);
  caller.send({ type: "response.steer", previous_response_id: first, input: "Be quick." });
  await caller.next("response.steer.accepted");
  goOn();
  await caller.ended();
  t.match(await caller.next("response.steer.pending"), {
    required_input: [
      { type: "custom_tool_call_output", call_id: "call_1", name: "note" },
      { type: "shell_call_output", call_id: "call_2", name: "shell" },
      { type: "apply_patch_call_output", call_id: "call_3", name: "apply_patch" },
    ],
  });
});

t.test("input whose next request is refused is given back", async (t) => {
  const { runtime, tools, caller, goOn, id: waiting } = await askForWeather(t);
  caller.send({ type: "response.steer", previous_response_id: waiting, input: "In Rome." });
  await caller.next("response.steer.accepted");
  goOn();
  await caller.next("response.steer.pending");
  caller.create({ store: false, tools, previous_response_id: waiting, input: 7 });
  t.match(await caller.next("error"), { status: 400, error: { param: "input" } });
  const failed = "successor_creation_failed";
  t.match(await caller.next("response.steer.failed"), {
    steer: { id: /^steer_/, previous_response_id: waiting, input: "In Rome." },
    error: { code: failed },
  });

  const other = sayInTwo();
  runtime.script = other.script;
  caller.create({ input: "Plan.", store: false, stream_id: "main" });
  const steered = idOf((await caller.next("response.created")).response);
  const input = [{ role: "user", content: [{ type: "input_video" }] }];
  caller.send({ type: "response.steer", previous_response_id: steered, input });
  await caller.next("response.steer.accepted");
  other.goOn();
  t.match(
    await caller.next("error"),
    { status: 400, stream_id: "main" },
    "of the request that follows of itself",
  );
  t.match(await caller.next("response.steer.failed"), {
    stream_id: "main",
    steer: { previous_response_id: steered, input },
    error: { code: failed },
  });
  t.equal(runtime.turns.length, 2);
});

t.test("input that waits for outputs is given back when 256 later responses have ended", async (t) => {
  const { caller, goOn, id: waiting } = await askForWeather(t, { stream_id: "main" });
  for (const input of ["In Rome.", "And in Oslo."]) {
    caller.send({ type: "response.steer", previous_response_id: waiting, input });
    await caller.next("response.steer.accepted");
  }
  goOn();
  await caller.next("response.steer.pending");
  const warmUp = () => caller.ask({ input: "hi", store: false, generate: false });
  for (let later = 0; later < 255; later += 1) await warmUp();
  t.notOk(caller.events.some(({ type }) => type === "response.steer.failed"));
  await warmUp();
  for (const input of ["In Rome.", "And in Oslo."]) {
    t.match(await caller.next("response.steer.failed"), {
      stream_id: "main",
      steer: { id: /^steer_/, previous_response_id: waiting, input },
      error: { code: "successor_creation_failed", message: /256 later responses/ },
    });
  }
  caller.send({ type: "response.steer", previous_response_id: waiting, input: "late" });
  t.match(await caller.next("response.steer.failed"), { error: { code: "response_not_found" } });
});

t.test("a response that was warmed up has ended", async (t) => {
  const { url } = await serveFake(t);
  const caller = await SocketCaller.open(t, url);
  const warm = idOf(await caller.ask({ input: "hi", store: false, generate: false }));
  caller.send({ type: "response.steer", previous_response_id: warm, input: "late" });
  t.match(await caller.next("response.steer.failed"), { error: { code: "response_already_completed" } });
});
