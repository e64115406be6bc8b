import OpenAI from "openai";
import t from "tap";
import { needs } from "../support/codex-version.js";
import { delayed, lastUserText, reply, stall, text, textInDeltas } from "../support/offline-backend/index.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";

/** tap's own matcher for errors wants an Error's shape. */
async function faultOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => "it was answered",
    (error: unknown) => error,
  );
}

const mode = (name: string) => ({ native_api: { continuation: { mode: name } } });

const textsOf = (items: readonly { readonly [key: string]: unknown }[] | undefined) =>
  items?.map((item) => `${item.role}: ${JSON.stringify(item.content).match(/"text":"([^"]*)"/)?.[1]}`);

t.test("a chain goes on on its native thread, and the model sees the whole of it", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply((request) => text(`re: ${lastUserText(request)}`));
  const one = await client.responses.create({ input: "one" });
  const two = await client.responses.create({ input: "two", previous_response_id: one.id });
  const three = await client.responses.create({ input: "three", previous_response_id: two.id });
  t.match([two, three], [mode("native"), mode("native")]);
  t.equal(three.output_text, "re: three");
  t.same(textsOf(backend.requests[2]?.fullInput), [
    "user: one",
    "assistant: re: one",
    "user: two",
    "assistant: re: two",
    "user: three",
  ]);
});

t.test("two children of one parent each see exactly their own history", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply((request) => text(`re: ${lastUserText(request)}`));
  const parent = await client.responses.create({ input: "parent" });
  const left = await client.responses.create({ input: "left", previous_response_id: parent.id });
  const right = await client.responses.create({ input: "right", previous_response_id: parent.id });
  t.match([left, right], [mode("native"), mode("replayed")]);
  const grandchild = await client.responses.create({ input: "left again", previous_response_id: left.id });
  t.match(grandchild, mode("native"));
  t.same(textsOf(backend.requests[2]?.fullInput), ["user: parent", "assistant: re: parent", "user: right"]);
  t.same(textsOf(backend.requests[3]?.fullInput), [
    "user: parent",
    "assistant: re: parent",
    "user: left",
    "assistant: re: left",
    "user: left again",
  ]);
});

t.test("other instructions mean another thread, with the same history", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const one = await client.responses.create({ input: "one", instructions: "Be brief." });
  const two = await client.responses.create({
    input: "two",
    instructions: "Be long.",
    previous_response_id: one.id,
  });
  t.match(two, mode("replayed"));
  const seen = JSON.stringify([backend.requests[1]?.body.instructions, backend.requests[1]?.fullInput]);
  t.match(seen, /Be long/);
  t.notMatch(seen, /Be brief/);
});

t.test("a turn that names no effort, summary or tier has none of the turn before", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const asked = { reasoning: { effort: "low", summary: "detailed" }, service_tier: "priority" } as const;
  const one = await client.responses.create({ input: "one", ...asked });
  const two = await client.responses.create({ input: "two", previous_response_id: one.id });
  const three = await client.responses.create({ input: "three", ...asked, previous_response_id: two.id });
  const four = await client.responses.create({ input: "four", ...asked, previous_response_id: three.id });
  t.match([two, three, four], [mode("replayed"), mode("native"), mode("native")]);
  const sent = backend.requests.map(({ body }) => [body.reasoning, body.service_tier]);
  const told = { effort: "low", summary: "detailed" };
  t.match(sent, [[told, "priority"], [{}], [told, "priority"], [told, "priority"]]);
  t.notOk(Object(sent[1]?.[0]).effort ?? Object(sent[1]?.[0]).summary ?? sent[1]?.[1]);
});

t.test("a chain survives the death of the app-server and of its worker", async (t) => {
  const { backend, client, service, untilReady } = await startServiceHarness(t);
  const one = await client.responses.create({ input: "one" });
  const pid = service.health()?.appServer?.pid;
  process.kill(pid ?? 0, "SIGKILL");
  await pollUntil(() => service.health()?.appServer?.pid !== pid);
  await untilReady();
  const two = await client.responses.create({ input: "two", previous_response_id: one.id });
  t.match(two, mode("replayed"));
  t.equal(backend.requests[1]?.fullInput.length, 3);
  const three = await client.responses.create({ input: "three", previous_response_id: two.id });
  t.match(three, mode("native"));
});

t.test("store: false leaves nothing", async (t) => {
  const { client } = await startServiceHarness(t);
  const gone = await client.responses.create({ input: "one", store: false });
  t.match(await faultOf(client.responses.retrieve(gone.id)), { status: 404, code: "response_not_found" });
  t.match(await faultOf(client.responses.create({ input: "two", previous_response_id: gone.id })), {
    status: 404,
    code: "continuation_not_found",
    param: "previous_response_id",
    // OpenAI's sentence, which clients look for. The official package puts the status before it.
    message: `404 Previous response with id '${gone.id}' not found.`,
  });
});

t.test("a stored response is read, listed and deleted", async (t) => {
  const { client } = await startServiceHarness(t);
  const made = await client.responses.create({
    input: [
      { role: "user", content: "one" },
      { role: "assistant", content: "two", phase: null },
      { role: "user", content: "three" },
    ],
    metadata: { a: "b" },
  });
  const { output_text: _sdkOnly, ...wire } = made;
  t.match(await client.responses.retrieve(made.id), { ...wire, output: made.output });
  const ids: string[] = [];
  for await (const item of client.responses.inputItems.list(made.id, { limit: 2, order: "asc" })) {
    ids.push(item.id ?? "");
  }
  t.equal(new Set(ids).size, 3);
  const again = await client.responses.create({ input: [{ type: "item_reference", id: ids[0] ?? "" }] });
  t.equal(again.status, "completed");
  t.match(await faultOf(client.responses.create({ input: [{ type: "item_reference", id: "msg_none" }] })), {
    status: 400,
    param: "input[0].id",
  });
  await client.responses.delete(made.id);
  t.match(await faultOf(client.responses.retrieve(made.id)), { status: 404 });
});

t.test("a background response is polled until it is done", async (t) => {
  const { backend, client, untilReady } = await startServiceHarness(t);
  await untilReady();
  backend.setDefaultReply(delayed(200, text("late")));
  const made = await client.responses.create({ input: "hello", background: true });
  t.equal(made.status, "queued");
  t.ok(made.model, "the one that it will run on");
  t.equal(made.background, true);
  await pollUntil(async () => (await client.responses.retrieve(made.id)).status === "completed");
  t.equal((await client.responses.retrieve(made.id)).output_text, "late");
  const next = await client.responses.create({ input: "go on", previous_response_id: made.id });
  t.equal(next.status, "completed");
});

t.test("a background response is cancelled, and its turn with it", needs("upstream_interrupt"), async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(reply(text({ deltas: ["half", "more"] }), stall({ afterDeltas: 1 })));
  const made = await client.responses.create({ input: "hello", background: true });
  const request = await backend.waitForRequest();
  const cancelled = await client.responses.cancel(made.id);
  t.equal(cancelled.status, "cancelled");
  t.equal(await request.closed, "client-closed");
  t.equal((await client.responses.cancel(made.id)).status, "cancelled", "cancelling twice changes nothing");
  const foreground = await client.responses
    .create({ input: "x", stream: false }, { timeout: 1_000 })
    .catch(() => null);
  t.equal(foreground, null);
});

t.test(
  "a background response that runs lists its input, and is gone on from when it has ended",
  async (t) => {
    const { backend, client } = await startServiceHarness(t);
    backend.queueReply(reply(text({ deltas: ["half", "more"] }), stall({ afterDeltas: 1 })));
    const made = await client.responses.create({ input: "hello", background: true });
    await backend.waitForRequest();
    const items = await client.responses.inputItems.list(made.id);
    t.match(items.data, [{ role: "user", content: [{ text: "hello" }] }]);
    const next = { input: "go on", previous_response_id: made.id };
    t.match(await faultOf(client.responses.create(next)), { status: 409, code: "response_in_progress" });
    await client.responses.cancel(made.id);
    t.equal((await client.responses.create(next)).status, "completed");
  },
);

t.test("a stream is attached to again after it broke, from where it broke", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(textInDeltas("one two three four five six", 6, 60));
  const stream = await client.responses.create({ input: "count", background: true, stream: true });
  let id = "";
  let cursor = -1;
  let streamed = "";
  for await (const event of stream) {
    if (event.type === "response.created") id = event.response.id;
    cursor = event.sequence_number;
    if (event.type !== "response.output_text.delta") continue;
    streamed += event.delta;
    break;
  }
  const rest = await client.responses.retrieve(id, { stream: true, starting_after: cursor });
  const types: string[] = [];
  for await (const event of rest) {
    t.ok(event.sequence_number > cursor);
    types.push(event.type);
    if (event.type === "response.output_text.delta") streamed += event.delta;
  }
  t.equal(streamed, "one two three four five six");
  t.equal(types.at(-1), "response.completed");
  const whole: string[] = [];
  for await (const event of await client.responses.retrieve(id, { stream: true })) whole.push(event.type);
  t.same(whole.slice(0, 3), ["response.created", "response.queued", "response.in_progress"]);
});

t.test("what is not in the background cannot be cancelled or attached to", async (t) => {
  const { client } = await startServiceHarness(t);
  const made = await client.responses.create({ input: "hello" });
  t.match(await faultOf(client.responses.cancel(made.id)), { status: 400 });
  const refused = await client.responses.retrieve(made.id, { stream: true }).catch((error: unknown) => error);
  t.ok(refused instanceof OpenAI.BadRequestError);
  t.match(await faultOf(client.responses.cancel("resp_none")), { status: 404 });
});
