/** Codex makes an answer again after its connection broke in the middle: no caller gets a text twice, on either transport. */
import t, { type Test } from "tap";
import { lacks } from "../support/codex-version.js";
import {
  cutConnection,
  functionCall,
  type Reply,
  reasoning,
  reply,
  text,
} from "../support/offline-backend/index.js";
import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { parseSse, type SseEvent } from "../support/sse-events.js";
import { seenInput } from "../support/upstream-forms.js";
import { SocketCaller, type SocketEvent } from "../support/web-socket-caller.js";

/** As long as it takes to see whether it is interrupted. */
const again = text({ deltas: ["a whole", " answer"], firstDelayMs: 0, delayMs: 400 });

const cuts: Readonly<Record<string, Reply>> = {
  "in a message": cutConnection({ afterDeltas: 2 }),
  "in a summary of reasoning": reply(
    reasoning({ summary: ["Hm, hm.", "So."], delayMs: 20 }),
    cutConnection({ afterDeltas: 1 }),
  ),
};

type Event = SseEvent["data"] | SocketEvent;

async function post({ url }: ServiceHarness, path: string, body: object): Promise<string> {
  const answer = await fetch(`${url}/v1/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return answer.text();
}

const eventsOf = (stream: string): readonly Event[] => parseSse(stream).events.map(({ data }) => data);

/** Streams of a response, by the way that the caller takes. */
const streams: Readonly<Record<string, (t: Test, harness: ServiceHarness) => Promise<readonly Event[]>>> = {
  http: async (_, harness) => eventsOf(await post(harness, "responses", { input: "hi", stream: true })),
  "http, in the background": async (_, harness) =>
    eventsOf(await post(harness, "responses", { input: "hi", stream: true, background: true })),
  websocket: async (t, harness) => {
    const caller = await SocketCaller.open(t, harness.url);
    caller.create({ input: "hi" });
    await caller.ended();
    return caller.events;
  },
};

/** What the deltas of each item add up to, by the item's place, and what the response has there in the end. */
function checkSum(t: Test, events: readonly Event[]): void {
  const shown: string[] = [];
  for (const { type, output_index: index, delta } of events) {
    if (typeof index !== "number") continue;
    shown[index] ??= "";
    if (type === "response.output_text.delta") shown[index] += String(delta);
  }
  const { output } = Object(events.at(-1)?.response) as { readonly output: readonly { content?: unknown }[] };
  const said = output.map(({ content = [] }) =>
    Object.values(Object(content))
      .map((part) => Object(part).text)
      .join(""),
  );
  t.strictSame(shown, said, "the deltas add up to the output");
}

/** That no request since the given one was answered to its end, where Codex can end one. */
async function checkInterrupted(t: Test, { backend }: ServiceHarness, since: number): Promise<void> {
  await pollUntil(() => backend.counters.openStreams === 0);
  const outcomes = backend.requests.slice(since).map(({ outcome }) => outcome);
  if (lacks("upstream_interrupt") !== null) return;
  t.notOk(outcomes.includes("completed"), `the native turn ended with it: ${outcomes.join()}`);
}

const inMessage = cutConnection({ afterDeltas: 2 });

async function checkStreams(t: Test, harness: ServiceHarness): Promise<void> {
  const { backend } = harness;
  for (const [way, read] of Object.entries(streams)) {
    const since = backend.requests.length;
    backend.queueReply(inMessage);
    const events = await read(t, harness);
    const failed = { status: "failed", error: { code: "upstream_connection_failed" } };
    t.match(events.at(-1), { type: "response.failed", response: failed }, way);
    const said = events.map(({ type, delta }) => (type === "response.output_text.delta" ? delta : ""));
    t.equal(said.join(""), "word1 word2 ", way);
    checkSum(t, events);
    await checkInterrupted(t, harness, since);
  }
  const since = backend.requests.length;
  backend.queueReply(inMessage);
  const body = { messages: [{ role: "user", content: "hi" }], stream: true };
  const chat = await post(harness, "chat/completions", body);
  t.match(chat, /word2[\s\S]*"code":"upstream_connection_failed"/);
  t.notMatch(chat, /whole/);
  await checkInterrupted(t, harness, since);
}

async function checkWholeAnswers(t: Test, { client, backend, url }: ServiceHarness): Promise<void> {
  for (const [where, cut] of Object.entries(cuts)) {
    backend.queueReply(cut);
    const response = await client.responses.create({ input: "hi" });
    t.equal(response.output_text, "a whole answer", where);
    t.equal(response.output.filter(({ type }) => type === "message").length, 1, where);
    t.equal(response.usage?.total_tokens, 19, "counted once");
    backend.queueReply(cut);
    const messages = [{ role: "user" as const, content: "hi" }];
    const completion = await client.chat.completions.create({ model: "gpt-5.5", messages });
    t.equal(completion.choices[0]?.message.content, "a whole answer", where);
    backend.queueReply(cut);
    const { id } = await client.responses.create({ input: "hi", background: true });
    const followed = eventsOf(await (await fetch(`${url}/v1/responses/${id}?stream=true`)).text());
    t.equal(followed.at(-1)?.type, "response.completed", where);
    checkSum(t, followed);
    t.equal((await client.responses.retrieve(id)).output_text, "a whole answer", where);
  }
}

for (const transport of ["websocket", "sse"] as const) {
  t.test(`over ${transport}`, async (t) => {
    const webSocket = transport === "websocket" ? "accept" : "refuse";
    const harness = await startServiceHarness(t, { backend: { webSocket } });
    const { backend, client } = harness;
    backend.setDefaultReply(again);
    await harness.untilReady();

    await t.test("a stream that was cut in a message ends with its error, whatever its way", (t) =>
      checkStreams(t, harness),
    );

    await t.test("a caller that waits for the whole answer gets the second one alone", (t) =>
      checkWholeAnswers(t, harness),
    );

    await t.test("reasoning without words is no reason to fail a stream", async (t) => {
      backend.queueReply(reply(reasoning({ summary: [], delayMs: 20 }), cutConnection({ afterDeltas: 0 })));
      const body = { input: "hi", stream: true };
      const events = eventsOf(await post(harness, "responses", body));
      t.equal(events.at(-1)?.type, "response.completed");
      checkSum(t, events);
    });

    await t.test("a final answer that is whole is not made again", async (t) => {
      backend.queueReply(reply(text({ deltas: ["all", " said"], phase: "final_answer" }), cutConnection()));
      const { id, output_text: said } = await client.responses.create({ input: "hi" });
      // Codex does not announce its first retry over a WebSocket, and a message after a message is nothing odd.
      t.match(said, transport === "sse" ? /^all said$/ : /^all said/);
      const next = await client.responses.create({ input: "and?", previous_response_id: id });
      t.equal(next.output_text, "a whole answer");
      const assistant = { role: "assistant" };
      const answers = transport === "sse" ? [assistant] : [assistant, assistant];
      t.match(backend.requests.at(-1)?.fullInput, [{ role: "user" }, ...answers, { role: "user" }]);
    });

    await t.test("commentary and calls that were complete stay, and the model goes on", async (t) => {
      backend.queueReply(reply(text("Let me look."), cutConnection()));
      backend.queueReply(functionCall({ name: "look", arguments: {} }));
      const look = { type: "function", name: "look", strict: false, parameters: { type: "object" } } as const;
      const response = await client.responses.create({ input: "hi", tools: [look] });
      t.strictSame(
        response.output.map(({ type }) => type),
        ["message", "function_call"],
      );
      t.match(seenInput(backend.requests.at(-1)), [{ role: "user" }, { role: "assistant" }]);
    });
  });
}
