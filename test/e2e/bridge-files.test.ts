/** The skill files of an unmodified chat bridge: a model that reads them, and one that would read more. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import t, { type Test } from "tap";
import { isJsonObject } from "../../src/workers/contract/json.js";
import { LogLines } from "../support/log-lines.js";
import {
  functionCall,
  type Reply,
  reasoning,
  reply,
  text,
  webSearchCall,
} from "../support/offline-backend/index.js";
import { type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { parseSse } from "../support/sse-events.js";
import { offeredTools, seenInput } from "../support/upstream-forms.js";

const promptContext = { mode: "command", title: "Search", command: "/search", subcommand: null };

const metadata = {
  cwd: "/srv/bridge",
  codexbridge: {
    taskClass: "normalization",
    eventMetadata: { developerPromptContext: promptContext, note: "event-mark" },
    threadMetadata: { id: "thread-mark" },
  },
};

function makeFolders(t: Test) {
  const base = t.testdir({
    "secret.txt": "the secret",
    skills: { "search.md": "# Search\nBe quick.", "more.md": "# More" },
    "skills-of-others": { "other.md": "the secret" },
  });
  const root = join(base, "skills");
  return { base, root, skill: join(root, "search.md") };
}

const read = (path: string, callId = "call_read") =>
  functionCall({ name: "read_file", arguments: { path }, callId });

async function post({ url }: ServiceHarness, path: string, body: object) {
  const answer = await fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answered = await answer.text();
  return {
    status: answer.status,
    text: answered,
    body: body && "stream" in body ? null : JSON.parse(answered),
  };
}

async function start(t: Test, root: string | null, options: Parameters<typeof startServiceHarness>[1] = {}) {
  const env = root === null ? {} : { CODEX_NATIVE_API_READABLE_ROOTS: root };
  const harness = await startServiceHarness(t, { ...options, env: { ...options.env, ...env } });
  await harness.untilReady();
  return harness;
}

/** What the model was told of a call. */
function outputOf({ backend }: ServiceHarness, callId: string): string {
  const item = seenInput(backend.requests.at(-1)).find(
    ({ type, call_id: id }) => type === "function_call_output" && id === callId,
  );
  return JSON.stringify(item?.output ?? null);
}

/** A stream's or an answer's own line. */
function lineOf({ lines }: LogLines) {
  return lines.find(({ event, route }) => event === "http.request" && route === "/v1/responses");
}

function offered({ backend }: ServiceHarness) {
  const request = backend.requests.at(-1);
  return request === undefined ? null : offeredTools(request);
}

t.test("a task that follows a skill file has it, and the caller sees the answer alone", async (t) => {
  const { root, skill } = makeFolders(t);
  const log = new LogLines();
  const harness = await start(t, root, { logger: log.logger });
  const { backend } = harness;
  const looking = text({ deltas: ["Let me read the skill."], phase: "commentary" });
  backend.queueReply(reply(reasoning({ summary: ["A skill."] }), looking, read(skill)), text("rust async"));
  const input = `Follow the skill at ${skill}.`;
  const { status, body } = await post(harness, "/v1/responses", { input, metadata });
  t.equal(status, 200);
  t.match(body, { status: "completed", output: [{ type: "message", content: [{ text: "rust async" }] }] });
  t.equal(body.output.length, 1);
  t.strictSame(body.tools, [], "the function is not the caller's");
  t.strictSame(body.native_api.file_access, {
    readable: true,
    reason: null,
    read: [{ path: skill, bytes: 18 }],
    refused: [],
  });
  t.equal(body.usage.output_tokens, 14, "of both calls of the model");
  t.match(outputOf(harness, "call_read"), /# Search\\nBe quick/);
  const seen = JSON.stringify(seenInput(backend.requests.at(-1)));
  t.ok(
    seen.includes(JSON.stringify(JSON.stringify(promptContext)).slice(1, -1)),
    "the context for the model",
  );
  t.notMatch(seen, /event-mark|thread-mark|srv/, "and nothing else of the metadata");
  t.match(lineOf(log), { files_readable: true, files_read: 1, files_refused: 0 });

  // The chain keeps what was read, also where it is replayed.
  backend.queueReply(text("You are welcome."));
  const next = { input: "Thanks.", previous_response_id: body.id, instructions: "Be polite." };
  t.equal((await post(harness, "/v1/responses", next)).body.native_api.continuation.mode, "replayed");
  t.match(outputOf(harness, "call_read"), /Be quick/);
  t.equal(
    (await post(harness, "/v1/responses", { input: "And?", previous_response_id: body.id })).status,
    200,
  );
});

t.test("the same in a stream, in the background, in chat and beside web search", async (t) => {
  const { root, skill } = makeFolders(t);
  const harness = await start(t, root);
  const { backend } = harness;
  const script = [
    reply(webSearchCall({ query: "weather" }), read(skill)),
    text({ deltas: ["It is ", "sunny."], phase: "final_answer" }),
  ];
  const tools = [{ type: "web_search" }];
  backend.queueReply(...script);
  const streamed = await post(harness, "/v1/responses", { input: "Go.", metadata, tools, stream: true });
  const { events } = parseSse(streamed.text);
  t.notMatch(JSON.stringify(events), /read_file|function_call/);
  t.match(JSON.stringify(events.at(-1)), /response.completed.*It is sunny/);

  backend.queueReply(...script);
  const queued = await post(harness, "/v1/responses", { input: "Go.", metadata, tools, background: true });
  const ended = await harness.client.responses.retrieve(queued.body.id, { stream: true });
  for await (const event of ended)
    if (event.type === "response.completed") t.match(event, { response: { status: "completed" } });

  backend.queueReply(...script);
  const messages = [{ role: "user", content: "Go." }];
  const chat = await post(harness, "/v1/chat/completions", { messages, metadata, web_search_options: {} });
  t.match(chat.body, {
    choices: [{ message: { content: "It is sunny." }, finish_reason: "stop" }],
    native_api: { file_access: { readable: true, read: [{ path: skill }] } },
  });
  backend.queueReply(...script);
  const chunks = await post(harness, "/v1/chat/completions", { messages, metadata, stream: true });
  t.notMatch(chunks.text, /read_file|tool_calls/);
  t.match(chunks.text, /sunny[\s\S]*\[DONE\]/);
});

t.test("without folders, and for others, there is no function, and the answer says so", async (t) => {
  const { root, skill } = makeFolders(t);
  const log = new LogLines();
  const none = await start(t, null, { logger: log.logger });
  none.backend.setDefaultReply(text("A guess."));
  const blind = await post(none, "/v1/responses", { input: `Follow ${skill}.`, metadata });
  t.match(blind.body.native_api.file_access, { readable: false, reason: "no_readable_roots", read: [] });
  t.match(lineOf(log), {
    files_readable: false,
    files_unreadable_reason: "no_readable_roots",
  });
  t.strictSame(offered(none), []);
  t.notMatch(JSON.stringify(seenInput(none.backend.requests.at(-1))), /Context of this task/);

  const harness = await start(t, root);
  harness.backend.setDefaultReply(text("Fine."));
  const ask = async (body: object) => (await post(harness, "/v1/responses", { input: "Hi.", ...body })).body;
  t.equal((await ask({})).native_api.file_access, null);
  t.equal((await ask({ metadata: { codexbridge: "a text" } })).native_api.file_access, null);
  t.strictSame(offered(harness), []);
  const refused = await ask({ metadata, tool_choice: "none" });
  t.match(refused.native_api.file_access, { readable: false, reason: "tools_not_allowed" });
  const look = { type: "function", name: "look", parameters: { type: "object", properties: {} } };
  for (const tool_choice of [
    { type: "function", name: "look" },
    { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "look" }] },
  ]) {
    const narrow = await ask({ metadata, tools: [look], tool_choice });
    t.match(narrow.native_api.file_access, { readable: false, reason: "tools_not_allowed" });
    t.equal(offered(harness)?.length, 1);
    t.match(offered(harness), [{ name: "look" }]);
  }
  const own = { type: "function", name: "read_file", parameters: { type: "object", properties: {} } };
  const named = await ask({ metadata, tools: [own] });
  t.match(named.native_api.file_access, { readable: false, reason: "function_of_that_name" });
  harness.backend.queueReply(read(skill));
  const theirs = await ask({ metadata, tools: [own] });
  t.match(
    theirs.output,
    [{ type: "function_call", name: "read_file" }],
    "the caller's function stays the caller's",
  );
});

t.test(
  "a folder that does not exist is named in the log at the start, and serves once it is there",
  async (t) => {
    const { base, root } = makeFolders(t);
    const log = new LogLines();
    const later = join(base, "later");
    const harness = await start(t, [root, later].join(delimiter), { logger: log.logger });
    const warned = log.lines.filter(({ event }) => event === "service.useless_roots");
    t.match(warned, [
      { level: 40, problems: [`${JSON.stringify(later)} does not exist, or cannot be reached.`] },
    ]);
    t.equal(warned.length, 1);
    mkdirSync(later);
    writeFileSync(join(later, "new.md"), "# New");
    harness.backend.queueReply(read(join(later, "new.md")), text("Fine."));
    const { body } = await post(harness, "/v1/responses", { input: "Go.", metadata });
    t.match(body.native_api.file_access, { read: [{ bytes: 5 }], refused: [] });
  },
);

t.test("a model that would read more is told why not, and nothing of it reaches anybody", async (t) => {
  const { base, root, skill } = makeFolders(t);
  symlinkSync(join(base, "secret.txt"), join(root, "link.md"));
  symlinkSync(base, join(root, "up"));
  symlinkSync(join(base, "none.txt"), join(root, "to-none.md"));
  execFileSync("mkfifo", [join(root, "fifo.md")]);
  writeFileSync(join(root, "huge.md"), "");
  truncateSync(join(root, "huge.md"), 10 * 1024 ** 3);
  writeFileSync(join(root, "long.md"), "x".repeat(256 * 1024 + 1));
  writeFileSync(join(root, "bytes.bin"), Buffer.from([0xff, 0xfe, 0]));
  const harness = await start(t, root);
  const paths = [
    `${root}/../secret.txt`,
    `${root}/link.md`,
    `${root}/up/secret.txt`,
    `${root}-of-others/other.md`,
    `${root}/fifo.md`,
    `${root}/huge.md`,
    `${root}/long.md`,
    `${root}/bytes.bin`,
    root,
    `${root}/`,
    "/proc/self/environ",
    `/proc/${process.pid}/root${base}/secret.txt`,
    `/proc/self/cwd/package.json`,
    "/dev/zero",
    "/etc/passwd",
    "search.md",
    "~/.ssh/id_rsa",
    `file://${skill}`,
    `${skill}\0.md`,
    "",
    `${root}/${"a/".repeat(5_000)}`,
    `${root}/up/none.txt`,
    `${root}/up/skills/up/../secret.txt`,
    `${root}/to-none.md`,
  ];
  const call = (path: string, index: number) => read(path, `call_${index}`);
  harness.backend.queueReply(reply(...paths.map(call)), text("I give up."));
  const { status, body } = await post(harness, "/v1/responses", { input: "Go.", metadata });
  t.equal(status, 200);
  t.match(body, {
    output: [{ content: [{ text: "I give up." }] }],
    native_api: { file_access: { read: [] } },
  });
  t.equal(body.output.length, 1);
  t.equal(body.native_api.file_access.refused.length, paths.length);
  t.notMatch(JSON.stringify(body), /the secret/);
  for (const [index, path] of paths.entries())
    t.match(outputOf(harness, `call_${index}`), /^"Error: /, path.slice(0, 80));
  t.notMatch(JSON.stringify(seenInput(harness.backend.requests.at(-1))), /the secret|root:x:0/);

  const told = paths.map((path, index) => outputOf(harness, `call_${index}`).replace(path, "PATH"));
  const toldOf = (path: string) => told[paths.indexOf(`${root}/${path}`)];
  t.equal(toldOf("up/secret.txt"), toldOf("up/none.txt"), "what exists elsewhere does not show");
  t.equal(toldOf("link.md"), toldOf("to-none.md"));

  const odd: readonly unknown[] = ["{", "[]", "null", '{"path":7}', '{"path":["/etc/passwd"]}', "{}"];
  const calls = odd.map((given, index) =>
    functionCall({ name: "read_file", arguments: String(given), callId: `call_odd_${index}` }),
  );
  harness.backend.queueReply(reply(...calls), text("Sorry."));
  const answer = await post(harness, "/v1/responses", { input: "Go.", metadata });
  t.match(answer.body, {
    output: [{ content: [{ text: "Sorry." }] }],
    native_api: { file_access: { read: [] } },
  });
});

t.test("a model reads no more than a task's worth, and one that never stops is stopped", async (t) => {
  const { root } = makeFolders(t);
  for (let index = 0; index < 6; index += 1)
    writeFileSync(join(root, `large-${index}.md`), "x".repeat(200 * 1024));
  const harness = await start(t, root);
  const { backend } = harness;
  const reads = [0, 1, 2, 3, 4, 5].map((index) => read(join(root, `large-${index}.md`), `call_${index}`));
  backend.queueReply(...reads, text("Enough."));
  const { body } = await post(harness, "/v1/responses", { input: "Go.", metadata });
  t.equal(body.native_api.file_access.read.length, 5);
  t.match(body.native_api.file_access.refused, [{ reason: /1048576 bytes together/ }]);

  let calls = 0;
  backend.setDefaultReply((): Reply => read(join(root, "more.md"), `call_${calls++}`));
  const endless = await post(harness, "/v1/responses", { input: "Go.", metadata });
  t.match(endless, { status: 504, body: { error: { code: "turn_stalled", message: /read_file/ } } });
  t.ok(calls <= 82, `${calls} calls`);
  backend.setDefaultReply(text("Fine."));
  t.equal((await post(harness, "/v1/responses", { input: "Hi." })).status, 200);
});

t.test(
  "calls of the caller's functions beside a read reach the caller, and its outputs the model",
  async (t) => {
    const { root, skill } = makeFolders(t);
    const harness = await start(t, root);
    const { backend } = harness;
    const tools = [{ type: "function", name: "weather", parameters: { type: "object", properties: {} } }];
    const weather = functionCall({ name: "weather", arguments: {}, callId: "call_weather" });
    for (const first of [reply(read(skill), weather), reply(weather, read(skill))]) {
      backend.queueReply(first, text("Sunny."));
      const { body } = await post(harness, "/v1/responses", { input: "Go.", metadata, tools });
      t.match(body.output, [{ type: "function_call", name: "weather" }]);
      t.equal(body.output.length, 1);
      const output = { type: "function_call_output", call_id: "call_weather", output: "24" };
      const next = await post(harness, "/v1/responses", {
        input: [output],
        previous_response_id: body.id,
        metadata,
        tools,
      });
      t.match(next.body.output, [{ content: [{ text: "Sunny." }] }]);
      t.match(outputOf(harness, "call_read"), /Be quick/);
      t.match(outputOf(harness, "call_weather"), /24/);
    }
    // Reads are no calls of the caller's, who asked for one at a time.
    backend.queueReply(reply(read(skill), read(skill, "call_again"), weather));
    const serial = { input: "Go.", metadata, tools, parallel_tool_calls: false };
    const one = await post(harness, "/v1/responses", serial);
    t.equal(one.body.output.length, 1);
    t.notOk(one.body.native_api.ignored_parameters.includes("parallel_tool_calls"));

    // One after the other: the read first, then the caller's function.
    backend.queueReply(read(skill), weather, text("Sunny."));
    const { body } = await post(harness, "/v1/responses", { input: "Go.", metadata, tools });
    t.match(body.output, [{ type: "function_call", name: "weather" }]);
    t.ok(isJsonObject(body.native_api.file_access) && body.native_api.file_access.read);
  },
);

t.test("a caller that leaves while files are read leaves nothing behind", async (t) => {
  const { root, skill } = makeFolders(t);
  const harness = await start(t, root);
  harness.backend.setDefaultReply((): Reply => read(skill, `call_${Math.random()}`));
  const leave = new AbortController();
  const left = fetch(`${harness.url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input: "Go.", metadata }),
    signal: leave.signal,
  });
  await harness.backend.waitForRequest(() => true);
  leave.abort();
  await t.rejects(left);
  harness.backend.setDefaultReply(text("Fine."));
  t.equal((await post(harness, "/v1/responses", { input: "Hi." })).status, 200);
  t.match(harness.service.health()?.queue, { running: 0, depth: 0 });
});
