/** The cases of an unmodified CodexBridge, played by a bridge of our own beside `codex-native-api serve` as a process. */
import { join } from "node:path";
import t from "tap";
import { missingFeatures } from "../../src/workers/contract/codex-capabilities.js";
import { isJsonObject } from "../../src/workers/contract/json.js";
import {
  contextOf,
  hello,
  partOf,
  patientBridge,
  prepareServe,
  startServe,
  tasks,
  threadMetadata,
} from "../support/bridge-harness.js";
import { type BridgeTask, ChatBridge, directText, patientMs } from "../support/chat-bridge.js";
import { testCodexVersion } from "../support/codex-version.js";
import {
  functionCall,
  httpError,
  lastUserText,
  offeredTools,
  type RecordedModelRequest,
  type Reply,
  stall,
  text,
  usageLimitReached,
  usedUpFor,
} from "../support/offline-backend/index.js";
import { pollUntil } from "../support/service-harness.js";
import { checkInterrupted, seenInput } from "../support/upstream-forms.js";

/** Turns run in either case. */
const healthStatus = missingFeatures(testCodexVersion).length === 0 ? "ok" : "degraded";

t.test("each class of side task: sent, answered, parsed, and nothing of its metadata sent on", async (t) => {
  const token = "a-token-of-the-bridge";
  const { backend, url } = await prepareServe(t, { CODEX_NATIVE_API_AUTH_TOKEN: token });
  const bridge = new ChatBridge({ baseUrl: url, authToken: token, timeoutMs: patientMs });

  const health = await bridge.read("/v1/health");
  t.match(health, {
    status: 200,
    body: { object: "health.check", status: healthStatus, native_runtime: { ready: true } },
  });
  t.match(health.body, { continuation_registry: { survives_process_restart: false } });
  const models = await bridge.read("/v1/models");
  t.match(models, { status: 200, body: { object: "list", data: [{ id: /./, object: "model" }] } });

  const answers = {
    intent: '{"intent":"command"}',
    normalization: '{"text":"open the garage"}',
    verification: '{"passed":true}',
    reasoning: "Sieht gut aus.",
  } as const;
  const threads = new Set<string>();
  for (const name of ["intent", "normalization", "verification", "reasoning"] as const) {
    const task = tasks[name];
    backend.setDefaultReply(text(answers[name]));
    const answer = await bridge.execute(task);
    t.equal(answer.route, "native_api", name);
    t.equal(answer.text, answers[name]);
    if (name !== "reasoning") t.ok(isJsonObject(JSON.parse(answer.text)));
    t.match(answer.session, { id: /./, providerProfileId: "openai-default", threadId: /./, cwd: task.cwd });
    t.match(answer.body, {
      status: "completed",
      metadata: { codexbridge: { taskClass: task.taskClass } },
      native_runtime: { turn_id: /./ },
      native_api: {
        request_target: { task_class: task.taskClass },
        continuation: { resumed: false },
        file_access: { readable: false, reason: "no_readable_roots", read: [], refused: [] },
      },
    });
    threads.add(String(answer.session?.threadId));
    const request = backend.requests.at(-1);
    if ("effort" in task) t.match(request?.body.reasoning, { effort: task.effort });
    t.strictSame(request && offeredTools(request).filter(({ name }) => name === "read_file"), []);
    const seen = JSON.stringify(seenInput(request));
    t.match(seen, task.prompt.slice(-10));
    t.notMatch(seen, /-mark|srv|command-skill|intent_class|localizer/i);
  }
  t.equal(threads.size, 4, "each in a thread of its own");
  t.strictSame(bridge.directPrompts, []);

  // What is the task's own fault is no reason to run it once more.
  backend.queueReply(httpError(400, { message: "This prompt is at fault." }));
  await t.rejects(bridge.execute(hello), /at fault/);
  const stranger = new ChatBridge({ baseUrl: url, authToken: "another-token", timeoutMs: patientMs });
  const before = backend.requests.length;
  t.match(await stranger.execute(hello), { text: directText, fellBackOn: "401 invalid_auth_token" });
  t.equal(backend.requests.length, before);
});

t.test(
  "overloaded, out of time, plan used up: the bridge answers by itself, and the service goes on",
  async (t) => {
    const { backend, url } = await prepareServe(t, {
      CODEX_NATIVE_API_MAX_CONCURRENT_TURNS: "1",
      CODEX_NATIVE_API_MAX_QUEUE: "1",
    });
    const bridge = patientBridge(url);
    const queue = async () => partOf((await bridge.read("/v1/health")).body, "native_runtime", "queue");
    t.match(await bridge.execute(hello), { route: "native_api" });

    backend.setDefaultReply(stall());
    const slow = new ChatBridge({ baseUrl: url });
    // The default of CodexBridge, in which the model has not answered. On a busy machine it may not even have been asked.
    const asked = backend.requests.length;
    await pollUntil(async () => {
      t.match(await slow.execute(hello), { text: directText, fellBackOn: "timeout" });
      return backend.requests.length > asked;
    });
    await checkInterrupted(t, backend.requests.at(-1));
    await pollUntil(async () => (await queue())?.running === 0);

    const count = backend.requests.length;
    const leave = new AbortController();
    const stalled = fetch(`${url}/v1/responses`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input: "Of another program." }),
      signal: leave.signal,
    }).catch(() => null);
    await pollUntil(() => backend.requests.length > count);
    const waiting = bridge.execute(hello);
    await pollUntil(async () => (await queue())?.depth === 1);
    t.match(await bridge.execute(hello), { text: directText, fellBackOn: "429 queue_full" });
    backend.setDefaultReply(text("hello"));
    leave.abort();
    await stalled;
    t.match(await waiting, { route: "native_api", text: "hello" });

    backend.setRateLimits({ primary: usedUpFor(600) });
    backend.setDefaultReply(usageLimitReached({ resetsInSeconds: 600 }));
    t.match(await bridge.execute(hello), { text: directText, fellBackOn: "429 usage_limit_reached" });
    backend.setRateLimits({});
  },
);

/** As a model does that was told to follow a file: it reads what the prompt names, and answers as the file says. */
function followSkill(request: RecordedModelRequest): Reply {
  const output = request.fullInput.findLast(({ type }) => type === "function_call_output")?.output;
  if (output === undefined) {
    const path = /skill file: (\S+)/.exec(lastUserText(request))?.[1] ?? "";
    if (!offeredTools(request).some(({ name }) => name === "read_file")) return text("I cannot read it.");
    return functionCall({ name: "read_file", arguments: { path }, callId: "call_skill" });
  }
  const wanted = /field named (\w+)/.exec(JSON.stringify(output))?.[1] ?? "nothing";
  return text(JSON.stringify({ [wanted]: "rust async" }));
}

t.test(
  "/search follows its skill file where the folder is open, and says that it cannot elsewhere",
  async (t) => {
    const words = "# Search\nReturn a field named query.";
    const folder = t.testdir({ skills: { "search.md": words } });
    const skill = join(folder, "skills", "search.md");
    const search: BridgeTask = {
      taskClass: "normalization",
      prompt: `Please read and follow this command skill file: ${skill}\nReturn exactly one JSON object.\n\nInvocation payload:\n{"rawText":"/search rust async"}`,
      context: contextOf("command-skill-parser", "Search Command Skill", "/search"),
      threadMetadata: { ...threadMetadata, command: "search" },
      cwd: folder,
    };
    const open = await prepareServe(t, { CODEX_NATIVE_API_READABLE_ROOTS: join(folder, "skills") });
    open.backend.setDefaultReply(followSkill);
    const answer = await patientBridge(open.url).execute(search);
    t.strictSame(JSON.parse(answer.text), { query: "rust async" });
    t.strictSame(partOf(answer.body, "native_api", "file_access"), {
      readable: true,
      reason: null,
      read: [{ path: skill, bytes: words.length }],
      refused: [],
    });
    const seen = JSON.stringify(seenInput(open.backend.requests.at(-1)));
    t.match(seen, /Search Command Skill/, "the context of the command is the model's to know");
    t.notMatch(seen, /thread-mark/);
    open.serve.child.kill("SIGTERM");
    await open.serve.exited;

    const closed = await startServe(t, open.environment);
    await closed.serve.waitFor("codex.ready");
    const guessed = await patientBridge(closed.url).execute(search);
    t.equal(guessed.text, "I cannot read it.");
    t.match(partOf(guessed.body, "native_api", "file_access"), {
      readable: false,
      reason: "no_readable_roots",
    });
  },
);
