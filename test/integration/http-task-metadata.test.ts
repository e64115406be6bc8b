/** What a chat bridge says of its tasks: in the log at the level that the configuration names, and in `native_api` when asked for. */
import t, { type Test } from "tap";
import type { CodexNativeApiServerOptions } from "../../src/main/http/server-options.js";
import { maxMetadataChars } from "../../src/main/observability/task-metadata.js";
import { call, openStream, serveFake } from "../support/http-fixture.js";

const eventMetadata = { room: "private-room", sender: { token: "sk-private", name: "Ada" } };
const threadMetadata = { topic: "private-topic", depth: [1, 2] };
const bridge = { taskClass: "intent", eventMetadata, threadMetadata };

const requests = [
  ["/v1/responses", { input: "hi" }],
  ["/v1/chat/completions", { messages: [{ role: "user", content: "hi" }] }],
] as const;

async function serve(t: Test, metadataLevel?: CodexNativeApiServerOptions["metadataLevel"]) {
  return serveFake(t, metadataLevel === undefined ? {} : { metadataLevel });
}

for (const [path, body] of requests) {
  t.test(`${path}: the log has a task's metadata at the configured level, without secrets`, async (t) => {
    for (const [level, number] of [
      ["info", 30],
      ["debug", 20],
    ] as const) {
      const fixture = await serve(t, level);
      await call(fixture, path, { body: { ...body, metadata: { codexbridge: bridge } } });
      t.match(await fixture.logged("http.task_metadata"), {
        level: number,
        request_id: /^req_/,
        task_class: "intent",
        eventMetadata: { room: "private-room", sender: { token: "[redacted]", name: "Ada" } },
        threadMetadata,
      });
      t.match(await fixture.logged("http.request"), { task_class: "intent" });
      t.notMatch(JSON.stringify(fixture.lines), /sk-private/);
    }
  });

  t.test(`${path}: unless the configuration names a level, no line has a word of it`, async (t) => {
    for (const level of [undefined, "silent"] as const) {
      const fixture = await serve(t, level);
      await call(fixture, path, { body: { ...body, metadata: { codexbridge: bridge } } });
      t.match(await fixture.logged("http.request"), { task_class: "intent" });
      t.notMatch(JSON.stringify(fixture.lines), /private-room|private-topic|http\.task_metadata/);
    }
  });

  t.test(`${path}: native_api repeats what the caller asks for, and nothing else`, async (t) => {
    const fixture = await serve(t);
    const ask = async (codexbridge: object) => {
      const answer = await call(fixture, path, { body: { ...body, metadata: { codexbridge } } });
      t.equal(answer.status, 200);
      return (answer.json() as { native_api: Readonly<Record<string, unknown>> }).native_api;
    };
    const silent = await ask(bridge);
    t.notOk("event_metadata" in silent || "thread_metadata" in silent);
    const one = await ask({ ...bridge, include: ["threadMetadata"] });
    t.strictSame(one.thread_metadata, threadMetadata);
    t.notOk("event_metadata" in one);
    const both = await ask({ ...bridge, threadMetadata: null, include: ["eventMetadata", "threadMetadata"] });
    t.strictSame(both.event_metadata, eventMetadata);
    t.equal(both.thread_metadata, null);
    const none = await ask({ ...bridge, include: null });
    t.notOk("event_metadata" in none);
  });

  t.test(`${path}: a list of anything else is refused with its path`, async (t) => {
    const fixture = await serve(t);
    for (const [include, param] of [
      [["eventMetadata", "cwd"], "metadata.codexbridge.include[1]"],
      ["eventMetadata", "metadata.codexbridge.include"],
    ] as const) {
      const answer = await call(fixture, path, {
        body: { ...body, metadata: { codexbridge: { ...bridge, include } } },
      });
      t.equal(answer.status, 400);
      t.match(answer.json(), { error: { code: "invalid_request", param } });
    }
    t.equal(fixture.runtime.turns.length, 0);
  });
}

t.test("a stream's native_api has it too, at its beginning and at its end", async (t) => {
  const fixture = await serve(t);
  const metadata = { codexbridge: { ...bridge, include: ["eventMetadata"] } };
  const responses = await openStream(fixture, "/v1/responses", {
    body: { input: "hi", stream: true, metadata },
  });
  for (const type of ["response.created", "response.completed"])
    t.match((await responses.next(type)).data, {
      response: { native_api: { event_metadata: eventMetadata } },
    });
  const chat = await call(fixture, "/v1/chat/completions", {
    body: { messages: [{ role: "user", content: "hi" }], stream: true, metadata },
  });
  const withIt = chat.text.split("\n\n").filter((event) => event.includes('"event_metadata":{"room"'));
  t.equal(withIt.length, 2);
});

t.test("a line has a bounded part of it, whatever the caller sends", async (t) => {
  const fixture = await serve(t, "info");
  const long = "x".repeat(100_000);
  const nested = JSON.parse(`${'{"a":'.repeat(100)}1${"}".repeat(100)}`);
  const codexbridge = {
    eventMetadata: { first: "kept", long, behind: "private-room" },
    threadMetadata: { many: Array.from({ length: 5_000 }, (_, n) => n), nested },
  };
  await call(fixture, "/v1/responses", { body: { input: "hi", metadata: { codexbridge } } });
  const line = await fixture.logged("http.task_metadata");
  t.match(line, { eventMetadata: { first: "kept", long: /x\[cut\]$/ } });
  t.ok(JSON.stringify(line).length < 3 * maxMetadataChars);
  t.notMatch(JSON.stringify(line), /private-room/);
  const deep = { eventMetadata: { nested } };
  await call(fixture, "/v1/responses", { body: { input: "hi", metadata: { codexbridge: deep } } });
  t.match(JSON.stringify(fixture.lines.at(-2)), /\[cut\]/);
});

t.test("the level changes while the service runs", async (t) => {
  const fixture = await serve(t);
  const settings = { authToken: null, allowedHosts: [], allowedOrigins: [], maxBodyBytes: 1024 * 1024 };
  const ask = () =>
    call(fixture, "/v1/responses", { body: { input: "hi", metadata: { codexbridge: bridge } } });
  const linesOf = () => fixture.lines.filter(({ event }) => event === "http.task_metadata").length;
  await ask();
  t.equal(linesOf(), 0);
  fixture.server.reconfigure({ ...settings, metadataLevel: "info" });
  await ask();
  t.equal(linesOf(), 1);
  fixture.server.reconfigure(settings);
  await ask();
  t.equal(linesOf(), 1);
});
