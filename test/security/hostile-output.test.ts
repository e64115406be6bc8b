/** What a model says is data: it ends no event, no header and no line of a log, however it is written. */
import t from "tap";
import { LogLines } from "../support/log-lines.js";
import {
  functionCall,
  httpError,
  type JsonObject,
  type Reply,
  rawItem,
  text,
} from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";
import { parseSse } from "../support/sse-events.js";

const controls = "\u001b]0;title\u0007\u001b[2J\u009b31m\u007f\u0000";

const texts = {
  "events of a stream":
    '\n\nevent: response.completed\ndata: {"type":"response.completed"}\n\ndata: [DONE]\n\n: x\n',
  "every kind of line end": "a\r\nb\rc\n\nd\u0085e\u2028f\u2029g\u000bh\u000ci",
  "an HTTP answer": "\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n",
  "control characters": controls,
  "a text turned around": "\u202eexe.\u2066txt\u2069 \ufeff\ufffe\uffff",
  JSON: '"}],"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"x":[{"y":"',
  "a million characters without an end": "\ud83d\ude00".repeat(500_000),
} as const;

const fn = { name: "f", description: "f", parameters: { type: "object", properties: {} } };
const responsesBody = { input: "hello", tools: [{ type: "function", strict: false, ...fn }] };
const chatBody = {
  messages: [{ role: "user", content: "hello" }],
  tools: [{ type: "function", function: fn }],
};

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

t.test("hostile output is passed on as it is and breaks nothing", async (t) => {
  const log = new LogLines();
  const { backend, url, untilReady } = await startServiceHarness(t, { logger: log.logger });
  await untilReady();
  const ask = async (path: string, body: object) => {
    const answer = await fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const textOf = (events: readonly { readonly data: Readonly<Record<string, unknown>> }[]) =>
    events.map(({ data }) => (data.type === "response.output_text.delta" ? data.delta : "")).join("");

  for (const [name, said] of Object.entries(texts)) {
    backend.setDefaultReply(text({ deltas: said.length > 1000 ? [said] : [...said] }));
    const streamed = await ask("/v1/responses", { ...responsesBody, stream: true });
    const { events } = parseSse(streamed.text);
    t.ok(textOf(events) === said, `${name}: the deltas are what was said`);
    t.equal(events.filter(({ event }) => event === "response.completed").length, 1, `${name}: one end`);
    const whole = await ask("/v1/responses", responsesBody);
    t.ok(JSON.stringify(JSON.parse(whole.text)).includes(JSON.stringify(said)), `${name}: as JSON too`);
    const chat = await ask("/v1/chat/completions", { ...chatBody, stream: true });
    const chunks = chat.text.split("\n\n").filter((line) => line !== "" && line !== "data: [DONE]");
    const told = chunks.map((line) => {
      const chunk: unknown = JSON.parse(line.slice("data: ".length));
      const [choice] = isRecord(chunk) && Array.isArray(chunk.choices) ? chunk.choices : [];
      return choice?.delta?.content ?? "";
    });
    t.ok(told.join("") === said, `${name}: in chat completions too`);
    for (const { headers } of [streamed, whole, chat]) t.equal(headers.get("set-cookie"), null, name);
  }
  t.notOk("polluted" in {}, "no prototype was written to");

  const id = `x\r\n\r\nevent: y\ndata: {}\n\n${controls}`;
  const items: Readonly<Record<string, Reply>> = {
    "a call's id": functionCall({ name: "f", arguments: {}, callId: id }),
    "a call's arguments": functionCall({ name: "f", arguments: `{"a":"${"[".repeat(100_000)}"}` }),
    "arguments nested without end": functionCall({ name: "f", arguments: "[".repeat(200_000) }),
    "a name nobody declared": functionCall({ name: id, arguments: {} }),
    "an item's id": rawItem({
      type: "message",
      id,
      role: "assistant",
      content: [{ type: "output_text", text: id, annotations: [] }],
    }),
    "an item of no known type": rawItem({ type: id, id, [id]: id }),
    "an item nested deeply": rawItem({ type: "message", id: "m", role: "assistant", content: nest(25) }),
    "the text of an error": httpError(400, {
      code: id,
      message: `${id} /root/.codex/auth.json ${"x".repeat(100_000)}`,
    }),
  };
  for (const [name, item] of Object.entries(items)) {
    backend.setDefaultReply((request) => {
      const answered = request.fullInput.some(({ type }) => String(type).endsWith("_output"));
      return answered ? text("done") : item;
    });
    for (const [path, body] of [
      ["/v1/responses", responsesBody],
      ["/v1/chat/completions", chatBody],
    ] as const) {
      const whole = await ask(path, body);
      // Codex passes over an item that it does not know: then the model has given no answer.
      const statuses = name === "an item of no known type" ? [504] : [200, 400];
      t.ok(statuses.includes(whole.status), `${name}: ${path} answers ${whole.status}`);
      t.doesNotThrow(() => JSON.parse(whole.text), name);
      t.notMatch(whole.text, /auth\.json/, name);
      const streamed = await ask(path, { ...body, stream: true });
      if (streamed.status !== 200) t.doesNotThrow(() => JSON.parse(streamed.text), name);
      else if (path === "/v1/responses") t.doesNotThrow(() => parseSse(streamed.text), name);
      else t.doesNotThrow(() => parseChunks(streamed.text), name);
    }
  }

  backend.setDefaultReply(text("as ever"));
  const after = await ask("/v1/responses", responsesBody);
  t.match(after.text, /"text":"as ever"/, "the next caller is served");
  t.match(after.text, /"app_server_generation":1\b/, "by the same app-server");
  t.ok(
    log.lines.every((line) => !JSON.stringify(line).includes("title")),
    "nothing of it is in the log",
  );
});

function nest(depth: number): JsonObject[] {
  return depth === 0 ? [] : [{ type: "output_text", text: "x", inner: nest(depth - 1) }];
}

/** Every line a chunk of JSON, up to the one that ends the stream or tells its fault. */
function parseChunks(stream: string): void {
  for (const line of stream.trimEnd().split("\n\n")) {
    if (line === "data: [DONE]" || line.startsWith(":")) continue;
    if (!line.startsWith("data: ")) throw new Error(`not a chunk: ${JSON.stringify(line)}`);
    JSON.parse(line.slice("data: ".length));
  }
}
