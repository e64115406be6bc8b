/** An unmodified CodexBridge whose service changes under it: other accounts, no login, restarts, chains that are no more. */
import t from "tap";
import {
  accountOf,
  hello,
  partOf,
  patientBridge,
  prepareServe,
  startServe,
  tasks,
} from "../support/bridge-harness.js";
import { directText } from "../support/chat-bridge.js";
import { prepareCommand } from "../support/cli-harness.js";
import {
  createChatGptLogin,
  lastUserText,
  logout,
  stall,
  switchAccount,
  text,
} from "../support/offline-backend/index.js";
import { findProcessesOf } from "../support/processes.js";
import { pollUntil } from "../support/service-harness.js";
import { seenInput } from "../support/upstream-forms.js";

t.test(
  "a switch of the account: the chain ends with 409, and another one starts under the new account",
  async (t) => {
    const { backend, url, userHome } = await prepareServe(t);
    const bridge = patientBridge(url);
    const first = await bridge.execute(hello);
    const firstId = String(first.responseId);
    const next = await bridge.goOn({ ...hello, prompt: "And again." }, firstId);
    t.match(next, { startedAnewOn: null, body: { native_api: { continuation: { resumed: true } } } });
    t.equal(partOf(next.body, "native_api", "continuation")?.previous_response_id, firstId);

    await switchAccount(userHome, { backend, accountId: "acct-second", email: "second@example.com" });
    await pollUntil(async () => {
      const { body } = await bridge.read("/v1/health");
      return partOf(body, "native_runtime", "account")?.email === "second@example.com";
    });
    await pollUntil(async () => (await bridge.read("/v1/health")).status === 200);
    const anew = await bridge.goOn({ ...hello, prompt: "Once more." }, String(next.responseId));
    t.match(anew, { startedAnewOn: "409 continuation_account_mismatch", route: "native_api", text: "hello" });
    t.equal(accountOf(anew.body), "acct-second");
    t.not(accountOf(first.body), "acct-second");
    t.equal(backend.requests.at(-1)?.accountId, "acct-second");
    t.notMatch(JSON.stringify(seenInput(backend.requests.at(-1))), /And again/, "nothing of the old chain");
    const further = await bridge.goOn(hello, String(anew.responseId));
    t.match(further, { startedAnewOn: null, body: { native_api: { continuation: { resumed: true } } } });
    t.equal(accountOf(further.body), "acct-second");
    t.equal(accountOf((await bridge.execute(tasks.reasoning)).body), "acct-second");
    t.strictSame(bridge.directPrompts, []);
  },
);

t.test(
  "a restart of the service: the bridge answers by itself meanwhile, then by the service again",
  async (t) => {
    const { backend, url, serve, environment, root } = await prepareServe(t);
    const bridge = patientBridge(url);
    const before = await bridge.execute(hello);
    // A task under way is answered before the service stops.
    backend.queueReply(text({ deltas: ["hel", "lo"], delayMs: 300 }));
    const running = bridge.execute({ ...hello, prompt: "Say it slowly." });
    await backend.waitForRequest((request) => lastUserText(request).includes("slowly"));
    serve.child.kill("SIGTERM");
    t.match(await running, { route: "native_api", text: "hello" });
    t.strictSame(await serve.exited, { code: 0, signal: null });
    for (let round = 0; round < 3; round += 1)
      t.match(await bridge.execute(hello), { text: directText, fellBackOn: "unreachable" });

    const again = await startServe(t, { ...environment, CODEX_NATIVE_API_PORT: new URL(url).port });
    t.equal(again.url, url);
    // The bridge goes on from the first moment: until Codex is ready it may be served, or answer by itself on 503.
    const early = await bridge.execute(hello);
    t.ok(early.route === "native_api" || /^503 native_/.test(early.fellBackOn ?? ""), early.fellBackOn ?? "");
    await again.serve.waitFor("codex.ready");
    const anew = await bridge.goOn(hello, String(before.responseId));
    t.match(anew, { startedAnewOn: "404 continuation_not_found", route: "native_api", text: "hello" });
    t.match(await bridge.goOn(hello, String(anew.responseId)), { startedAnewOn: null, text: "hello" });
    t.equal((await bridge.execute(tasks.intent)).route, "native_api");

    // A service that is killed in the middle of a task is as good as none.
    backend.setDefaultReply(stall());
    const lost = bridge.execute({ ...hello, prompt: "Say it to the end." });
    await backend.waitForRequest((request) => lastUserText(request).includes("to the end"));
    again.serve.child.kill("SIGKILL");
    t.match(await lost, { text: directText, fellBackOn: "unreachable" });
    await pollUntil(async () => (await findProcessesOf(root)).length === 0);
  },
);

t.test("a chain that had no room any more is 410, and the bridge starts another", async (t) => {
  const { url } = await prepareServe(t, { CODEX_NATIVE_API_CONTINUATION_MAX_ENTRIES: "1" });
  const bridge = patientBridge(url);
  const first = await bridge.execute(hello);
  const second = await bridge.execute(hello);
  t.match(await bridge.goOn(hello, String(second.responseId)), { startedAnewOn: null });
  t.match(await bridge.goOn(hello, String(first.responseId)), {
    startedAnewOn: "410 continuation_expired",
    route: "native_api",
    text: "hello",
  });
});

t.test(
  "nothing listens, and nobody is logged in: the bridge answers by itself until a login comes",
  async (t) => {
    const { environment, userHome, backend } = await prepareCommand(t);
    backend.setDefaultReply(text("hello"));
    await logout(userHome);
    const { serve, url } = await startServe(t, environment);
    await serve.waitFor("codex.login_required");
    const bridge = patientBridge(url);
    t.match(await bridge.execute(hello), { text: directText, fellBackOn: "503 native_login_required" });
    t.equal((await bridge.read("/v1/health")).status, 503);
    t.equal(backend.requests.length, 0);
    await createChatGptLogin({ home: userHome, backend });
    await pollUntil(async () => (await bridge.read("/v1/health")).status === 200);
    t.match(await bridge.execute(hello), { route: "native_api", text: "hello" });
    serve.child.kill("SIGTERM");
    await serve.exited;
    t.match(await bridge.execute(hello), { text: directText, fellBackOn: "unreachable" });
    t.strictSame(bridge.directPrompts, [hello.prompt, hello.prompt]);
  },
);
