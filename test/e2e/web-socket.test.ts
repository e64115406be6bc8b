/** The official client over a WebSocket, and Codex itself as a client, on a real app-server. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type OpenAI from "openai";
import { ResponsesWS } from "openai/resources/responses/ws";
import type { Test } from "tap";
import t from "tap";
import { locateCodexBinary } from "../../src/main/codex/binary/codex-binary.js";
import { modelOverrides } from "../../src/main/codex/catalog/model-catalog.js";
import { isJsonObject, type JsonObject } from "../../src/workers/contract/json.js";
import { testCodexBin } from "../support/codex-version.js";
import { LogLines } from "../support/log-lines.js";
import {
  functionCall,
  type RecordedModelRequest,
  reply,
  stall,
  text,
} from "../support/offline-backend/index.js";
import { makeTemporaryDirectory } from "../support/runtime-harness.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";
import { checkInterrupted, offeredTools, seenInput } from "../support/upstream-forms.js";
import { weatherTool } from "../support/weather-tool.js";

type Create = Omit<OpenAI.Responses.ResponsesClientEvent, "type">;

/** The official client of WebSockets, and its events as they come. */
class OfficialSocket {
  readonly socket: ResponsesWS;
  readonly #events: AsyncIterator<{ readonly type: string }>;

  constructor(t: Test, client: OpenAI) {
    this.socket = new ResponsesWS(client);
    t.teardown(() => this.socket.close());
    this.#events = this.socket.stream();
  }

  create(body: Create): void {
    this.socket.send({ type: "response.create", ...body });
  }

  /** The events up to the end of a response, or up to an error. */
  async rest(): Promise<readonly OpenAI.Responses.ResponsesServerEvent[]> {
    const events: OpenAI.Responses.ResponsesServerEvent[] = [];
    for (;;) {
      const { value, done } = (await this.#events.next()) as IteratorResult<
        | { readonly type: "message"; readonly message: OpenAI.Responses.ResponsesServerEvent }
        | { readonly type: "error"; readonly error: Error }
        | { readonly type: "connecting" | "open" }
      >;
      if (done === true) throw new Error("the WebSocket was closed");
      if (value.type === "error") throw value.error;
      if (value.type !== "message") continue;
      events.push(value.message);
      if (/^response\.(completed|incomplete|failed)$/.test(value.message.type)) return events;
    }
  }

  async ask(body: Create): Promise<OpenAI.Responses.Response> {
    this.create(body);
    const last = (await this.rest()).at(-1);
    if (last?.type !== "response.completed") throw new Error(`the response ended with ${last?.type}`);
    return last.response;
  }
}

const answerOf = ({ output }: OpenAI.Responses.Response) =>
  output
    .flatMap((item) => (item.type === "message" ? item.content : []))
    .map((part) => "text" in part && part.text);

t.test("the official client gets one response after the other", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.queueReply(text({ deltas: ["Hel", "lo"] }));
  backend.setDefaultReply(text("And again."));
  const official = new OfficialSocket(t, client);
  official.create({ input: "hi" });
  const events = await official.rest();
  t.strictSame(
    events.map(({ type }) => type.replace(/^response\./, "")),
    [
      "created",
      "in_progress",
      "output_item.added",
      "content_part.added",
      "output_text.delta",
      "output_text.delta",
      "output_text.done",
      "content_part.done",
      "output_item.done",
      "completed",
    ],
  );
  t.strictSame(answerOf(await official.ask({ input: "again" })), ["And again."]);
});

t.test("a chain of tool calls that is not stored continues one native turn", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const call = (n: number) =>
    functionCall({ name: "weather", arguments: '{"city":"Rome"}', callId: `call_${n}` });
  backend.queueReply(reply(call(1)), reply(call(2)), reply(call(3)));
  backend.setDefaultReply(text("It is sunny."));
  const official = new OfficialSocket(t, client);
  const settings = { tools: [weatherTool], store: false };
  let response = await official.ask({ input: "Weather in Rome?", ...settings });
  for (let n = 1; n <= 3; n += 1) {
    const { id } = response;
    t.match(response.output, [{ type: "function_call", call_id: `call_${n}` }]);
    response = await official.ask({
      ...settings,
      previous_response_id: id,
      input: [{ type: "function_call_output", call_id: `call_${n}`, output: `sunny ${n}` }],
    });
    t.match(response, { native_api: { continuation: { mode: "native" } } });
  }
  t.strictSame(answerOf(response), ["It is sunny."]);
  t.equal(backend.requests.length, 4);
  t.match(
    seenInput(backend.requests.at(-1)).filter(({ type }) => type === "function_call_output"),
    [{ output: "sunny 1" }, { output: "sunny 2" }, { output: "sunny 3" }],
  );
  // Another turn on the same thread.
  const next = await official.ask({ ...settings, previous_response_id: response.id, input: "Thanks." });
  t.match(next, { native_api: { continuation: { mode: "native" } } });
});

t.test("the official client hears of an unknown response in OpenAI's words", async (t) => {
  const { client } = await startServiceHarness(t);
  const official = new OfficialSocket(t, client);
  official.create({ input: "and?", previous_response_id: "resp_none" });
  const fault: unknown = await official.rest().catch((error: unknown) => error);
  t.match(fault, {
    error: {
      type: "error",
      status: 400,
      error: {
        code: "previous_response_not_found",
        message: "Previous response with id 'resp_none' not found.",
        param: "previous_response_id",
      },
    },
  });
  t.equal((await official.ask({ input: "hi" })).status, "completed", "the connection is still good");
});

t.test("two connections run beside each other", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(text("Hello."));
  const both = [new OfficialSocket(t, client), new OfficialSocket(t, client)];
  const answers = await Promise.all(both.map((official) => official.ask({ input: "hi" })));
  t.strictSame(answers.map(answerOf), [["Hello."], ["Hello."]]);
});

t.test("a client that closes interrupts its turn", async (t) => {
  const { backend, client, service } = await startServiceHarness(t);
  backend.setDefaultReply(stall({ afterDeltas: 1 }));
  const official = new OfficialSocket(t, client);
  const delta = new Promise((resolve) => official.socket.once("response.output_text.delta", resolve));
  official.create({ input: "hi" });
  await delta;
  t.equal(backend.counters.openStreams, 1);
  official.socket.close();
  await pollUntil(() => service.health()?.queue.running === 0);
  await checkInterrupted(t, backend.requests.at(-1));
});

t.test(
  "input for a response that is being made is answered by the next one, on the same native thread",
  async (t) => {
    const { backend, client } = await startServiceHarness(t);
    backend.queueReply(text({ deltas: ["A ", "long ", "plan."], delayMs: 300 }));
    backend.setDefaultReply(text("A short plan."));
    const official = new OfficialSocket(t, client);
    const begun = new Promise<string>((resolve) =>
      official.socket.once("response.created", ({ response }) => resolve(response.id)),
    );
    const accepted = new Promise((resolve) =>
      official.socket.on("event", (event) => {
        if (String(event.type) === "response.steer.accepted") resolve(event);
      }),
    );
    official.create({ input: "Plan.", store: false });
    const first = await begun;
    const steer = { type: "response.steer", previous_response_id: first, input: "Keep it short." };
    official.socket.sendRaw(JSON.stringify(steer));
    await accepted;
    t.match((await official.rest()).at(-1), { response: { id: first, status: "completed" } });
    t.match((await official.rest()).at(-1), {
      type: "response.completed",
      response: {
        status: "completed",
        previous_response_id: first,
        native_api: { continuation: { mode: "native" } },
      },
    });
    t.match(seenInput(backend.requests.at(-1)).at(-1), {
      role: "user",
      content: [{ text: "Keep it short." }],
    });
  },
);

t.test("Codex itself works over a WebSocket: a warm-up, and calls of its own tools", async (t) => {
  const lines = new LogLines();
  const { backend, url, untilReady } = await startServiceHarness(t, { logger: lines.logger });
  await untilReady();
  const run = (cmd: string, callId: string) => (request: RecordedModelRequest) =>
    reply(
      functionCall({ ...offeredAs(request, "exec_command"), arguments: JSON.stringify({ cmd }), callId }),
    );
  backend.queueReply(run("echo marco", "call_1"), run("echo polo", "call_2"));
  backend.setDefaultReply(text("All done."));
  const { output, code } = await runCodex(t, url, "Say marco and polo.");
  t.equal(code, 0, output);
  t.match(output, /All done\./);
  t.notMatch(output, /Falling back/);
  const outputs = seenInput(backend.requests.at(-1)).filter(({ type }) => type === "function_call_output");
  t.strictSame(
    outputs.map((item) => /marco|polo/.exec(String(item.output))?.[0]),
    ["marco", "polo"],
  );
  const turns = lines.lines.filter(({ event, method }) => event === "http.request" && method === "WS");
  t.ok(turns.length >= 3, `${turns.length} requests came over the WebSocket`);
  t.notOk(turns.some(({ status }) => status !== 200));
});

/** How the model is offered a function of the caller's: Codex has names of its own. */
function offeredAs(request: RecordedModelRequest, wanted: string) {
  for (const tool of offeredTools(request)) {
    const { type, name, tools } = tool as JsonObject;
    const inner = type === "namespace" && Array.isArray(tools) ? tools.filter(isJsonObject) : [];
    const found = inner.find((each) => String(each.name).includes(wanted));
    if (found !== undefined) return { name: String(found.name), namespace: String(name) };
    if (type === "function" && String(name).includes(wanted)) return { name: String(name) };
  }
  throw new Error(`the model was offered no ${wanted}`);
}

/** `codex exec` as a client of the service, with functions as its only tools. */
async function runCodex(t: Test, url: string, prompt: string) {
  const home = await makeTemporaryDirectory(t);
  const { path: bin } = await locateCodexBinary({ configured: testCodexBin, env: process.env });
  const env = { PATH: "/usr/bin:/bin", HOME: home, CODEX_HOME: home };
  const listed = await promisify(execFile)(bin, ["debug", "models"], { env, maxBuffer: 64 * 1024 * 1024 });
  const catalog = JSON.parse(listed.stdout) as { readonly models: readonly object[] };
  const own = { ...modelOverrides.codex, use_responses_lite: false };
  const models = catalog.models.map((model) => ({ ...model, ...own }));
  await writeFile(join(home, "catalog.json"), JSON.stringify({ ...catalog, models }));
  const off = ["multi_agent", "apps", "plugins", "image_generation", "goals"];
  const lines = [
    `model_catalog_json = ${JSON.stringify(join(home, "catalog.json"))}`,
    'model = "gpt-5.5"',
    'model_provider = "here"',
    'web_search = "disabled"',
    "[model_providers.here]",
    'name = "here"',
    `base_url = "${url}/v1"`,
    'wire_api = "responses"',
    "supports_websockets = true",
    "[features]",
    ...off.map((name) => `${name} = false`),
  ];
  await writeFile(join(home, "config.toml"), lines.join("\n"));
  const child = spawn(bin, ["exec", "--skip-git-repo-check", prompt], {
    cwd: home,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.teardown(() => child.kill());
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += String(chunk);
    });
  }
  const [code] = (await once(child, "exit")) as [number | null];
  return { code, output };
}

t.test("a warm-up has the thread started for the turn that follows", async (t) => {
  const { backend, client, service, untilReady } = await startServiceHarness(t);
  backend.setDefaultReply(text("Hello."));
  await untilReady();
  const official = new OfficialSocket(t, client);
  const settings = { tools: [weatherTool], instructions: "Be brief.", store: false };
  const spares = () => service.runtime?.health().spareThreads;
  const { id } = await official.ask({ ...settings, input: [], generate: false } as Create);
  await pollUntil(() => spares()?.ready === 1);
  await official.ask({ ...settings, input: "Hi.", previous_response_id: id });
  t.match(spares(), { taken: 1, missed: 0 });
});
