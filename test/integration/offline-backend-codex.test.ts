import { execFile } from "node:child_process";
import { mkdtemp, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { CodexDriver, codexBinary } from "../support/offline-backend/codex-driver.js";
import {
  createChatGptLogin,
  createProviderHome,
  functionCall,
  type JsonObject,
  logout,
  OfflineBackend,
  type OfflineBackendOptions,
  reasoning,
  reply,
  stall,
  switchAccount,
  text,
} from "../support/offline-backend/index.js";
import { isJsonObject, isJsonObjectList, parseJsonObject } from "../support/offline-backend/json.js";

interface WithTeardown {
  teardown(end: () => unknown): unknown;
}

type LoginDetails = Omit<Parameters<typeof createChatGptLogin>[0], "home" | "backend">;

interface Setting {
  readonly backend: OfflineBackend;
  readonly home: string;
  startCodex(): Promise<CodexDriver>;
}

async function setUp(test: WithTeardown, options: OfflineBackendOptions = {}): Promise<Setting> {
  const backend = await OfflineBackend.start(options);
  const home = await mkdtemp(join(tmpdir(), "offline-backend-"));
  test.teardown(async () => {
    await backend.close();
    await removeTree(home);
  });
  const startCodex = async (): Promise<CodexDriver> => {
    const codex = await CodexDriver.start(home, backend.environment());
    test.teardown(() => codex.stop());
    return codex;
  };
  return { backend, home, startCodex };
}

async function logIn(
  test: WithTeardown,
  login: LoginDetails = {},
  options: OfflineBackendOptions = {},
): Promise<Setting> {
  const setting = await setUp(test, options);
  await createChatGptLogin({ home: setting.home, backend: setting.backend, ...login });
  return setting;
}

function paramsOf(messages: readonly JsonObject[], method: string): JsonObject[] {
  return messages
    .filter((message) => message.method === method)
    .map(({ params }) => (isJsonObject(params) ? params : {}));
}

t.test("a ChatGPT login shows its email, its plan and its windows", async (t) => {
  const { startCodex } = await logIn(t, { email: "me@example.test", planType: "plus" });
  const codex = await startCodex();
  const account = await codex.call("account/read");
  t.match(account, { account: { type: "chatgpt", email: "me@example.test", planType: "plus" } });
  t.match(await codex.call("account/rateLimits/read"), {
    rateLimits: {
      primary: { usedPercent: 12, windowDurationMins: 300 },
      secondary: { usedPercent: 5, windowDurationMins: 10_080 },
    },
  });
});

for (const transport of ["websocket", "sse"] as const) {
  t.test(`a turn streams its deltas over ${transport}`, async (t) => {
    const options: OfflineBackendOptions = { webSocket: transport === "sse" ? "refuse" : "accept" };
    const { backend, startCodex } = await logIn(t, { accountId: "acct-7" }, options);
    const usage = { inputTokens: 30, cachedInputTokens: 10, outputTokens: 4, reasoningOutputTokens: 1 };
    backend.queueReply(text({ deltas: ["Hel", "lo ", "there"], delayMs: 20, usage }));
    const codex = await startCodex();
    const { turn, messages } = await codex.runTurn(await codex.startThread(), "hi");
    t.match(turn, { status: "completed" });
    t.strictSame(
      paramsOf(messages, "item/agentMessage/delta").map((params) => params.delta),
      ["Hel", "lo ", "there"],
    );
    t.match(paramsOf(messages, "rawResponse/completed"), [
      { usage: { inputTokens: 30, cachedInputTokens: 10, outputTokens: 4, reasoningOutputTokens: 1 } },
    ]);
    t.match(backend.requests, [{ transport, accountId: "acct-7", outcome: "completed" }]);
    t.match(backend.counters, { warmups: transport === "sse" ? 0 : 1, modelRequests: 1 });
  });
}

t.test("a second turn on the same connection sends what is new, the record has it all", async (t) => {
  const { backend, startCodex } = await logIn(t);
  const codex = await startCodex();
  const thread = await codex.startThread();
  await codex.runTurn(thread, "one");
  await codex.runTurn(thread, "two");
  const [first, second] = backend.requests;
  t.equal(second?.body.previous_response_id, first?.responseId);
  t.equal(second?.body.input.length, 1);
  t.strictSame(
    second?.fullInput.map((item) => item.role),
    ["user", "assistant", "user"],
  );
  t.equal(backend.counters.websocketConnections, 1);
});

t.test("parallel function calls arrive as tool calls and their outputs go back", async (t) => {
  const { backend, startCodex } = await logIn(t);
  backend.queueReply(
    reply(
      reasoning({ summary: ["Two cities"], encryptedContent: "opaque" }),
      functionCall({ name: "get_weather", arguments: { city: "Rome" }, callId: "call_1" }),
      functionCall({ name: "get_weather", arguments: { city: "Oslo" }, callId: "call_2" }),
    ),
    text("Both sunny."),
  );
  const codex = await startCodex();
  const inputSchema = { type: "object", properties: { city: { type: "string" } } };
  const tool = { type: "function", name: "get_weather", description: "Weather.", inputSchema };
  const turn = codex.runTurn(await codex.startThread({ dynamicTools: [tool] }), "Weather?");
  const first = await codex.waitFor("item/tool/call");
  const second = await codex.waitFor("item/tool/call", codex.messages.indexOf(first) + 1);
  for (const call of [first, second]) {
    t.match(call, { params: { tool: "get_weather", arguments: { city: /Rome|Oslo/ } } });
    const contentItems = [{ type: "inputText", text: "sunny" }];
    codex.answer(call.id ?? null, { success: true, contentItems });
  }
  t.match((await turn).turn, { status: "completed" });
  t.match(
    backend.requests[1]?.fullInput.filter((item) => item.type !== "message"),
    [
      { type: "reasoning", encrypted_content: "opaque" },
      { type: "function_call", call_id: "call_1" },
      { type: "function_call", call_id: "call_2" },
      { type: "function_call_output", output: "sunny" },
      { type: "function_call_output", output: "sunny" },
    ],
  );
});

t.test("an interrupted turn closes its stream", async (t) => {
  const { backend, startCodex } = await logIn(t);
  backend.setDefaultReply(stall({ afterDeltas: 1 }));
  const codex = await startCodex();
  const threadId = await codex.startThread();
  const { turn } = await codex.call("turn/start", { threadId, input: [{ type: "text", text: "hi" }] });
  const request = await backend.waitForRequest();
  await codex.waitFor("item/agentMessage/delta");
  await codex.call("turn/interrupt", { threadId, turnId: isJsonObject(turn) ? (turn.id ?? null) : null });
  t.equal(await request.closed, "client-closed");
  t.match(await codex.waitFor("turn/completed"), { params: { turn: { status: "interrupted" } } });
});

t.test("an expired access token is refreshed, and auth.json is replaced by a new file", async (t) => {
  const { backend, home, startCodex } = await logIn(t, { accessTokenExpiresInSeconds: -60 });
  const authFile = join(home, "auth.json");
  const before = { content: await readFile(authFile, "utf8"), inode: (await stat(authFile)).ino };
  const codex = await startCodex();
  const { turn } = await codex.runTurn(await codex.startThread(), "hi");
  t.match(turn, { status: "completed" });
  t.match(backend.counters, { tokenRefreshes: 1, refusedTokenRefreshes: 0 });
  const after = await stat(authFile);
  t.not(await readFile(authFile, "utf8"), before.content);
  t.not(after.ino, before.inode, "a watch on the file itself would lose it");
  t.equal(after.mode & 0o777, 0o600);
});

t.test("a revoked access token is refreshed within the turn; a revoked login ends it", async (t) => {
  const { backend, startCodex } = await logIn(t);
  const codex = await startCodex();
  const thread = await codex.startThread();
  backend.tokens.revokeAccessTokens();
  t.match((await codex.runTurn(thread, "hi")).turn, { status: "completed" });
  t.equal(backend.counters.tokenRefreshes, 1);
  backend.tokens.revokeAccessTokens();
  backend.tokens.revokeRefreshTokens();
  const { turn } = await codex.runTurn(thread, "hi");
  t.match(turn, {
    status: "failed",
    error: { codexErrorInfo: "unauthorized", message: /refresh token was revoked/ },
  });
});

t.test("another login is seen by the next process, a logout too", async (t) => {
  const { backend, home, startCodex } = await logIn(t, { email: "one@example.test" });
  const first = await startCodex();
  await switchAccount(home, { backend, email: "two@example.test", accountId: "acct-2" });
  t.match(await first.call("account/read"), { account: { email: "one@example.test" } });
  await first.stop();
  const second = await startCodex();
  t.match(await second.call("account/read"), { account: { email: "two@example.test" } });
  await second.stop();
  await logout(home);
  const third = await startCodex();
  t.match(await third.call("account/read"), { account: null, requiresOpenaiAuth: true });
});

t.test("a custom provider needs no login", async (t) => {
  const { backend, home, startCodex } = await setUp(t);
  await createProviderHome({ home, backend });
  const codex = await startCodex();
  t.match(await codex.call("account/read"), { account: null, requiresOpenaiAuth: false });
  const { turn } = await codex.runTurn(await codex.startThread(), "ping");
  t.match(turn, { status: "completed", items: [{ text: "You said: ping" }] });
  t.match(backend.requests, [{ transport: "sse", accountId: undefined }]);
});

t.test("without a catalogue Codex lists its bundled models, with one it lists that", async (t) => {
  const plain = await logIn(t);
  const bundled = await listModels(await plain.startCodex());
  t.ok(bundled.length > 2, bundled.join());
  t.ok(plain.backend.counters.modelsListCalls > 0);
  const catalog = await readBundledCatalog(plain.home);
  const models = Array.isArray(catalog.models) ? catalog.models.slice(0, 2) : [];
  const served = await logIn(t, {}, { catalog: { models } });
  t.equal((await listModels(await served.startCodex())).length, 2);
});

async function listModels(codex: CodexDriver): Promise<string[]> {
  const { data } = await codex.call("model/list");
  return isJsonObjectList(data) ? data.map((model) => String(model.model)) : [];
}

async function readBundledCatalog(home: string): Promise<JsonObject> {
  const env = { ...process.env, CODEX_HOME: home };
  const options = { env, maxBuffer: 16_777_216 };
  const { stdout } = await promisify(execFile)(codexBinary(), ["debug", "models", "--bundled"], options);
  return parseJsonObject(stdout) ?? {};
}
