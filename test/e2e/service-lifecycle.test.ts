import t from "tap";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import { CodexNativeApiServer } from "../../src/main/http/server.js";
import { LogLines } from "../support/log-lines.js";
import { createChatGptLogin, logout, stall, text } from "../support/offline-backend/index.js";
import { findProcessesOf } from "../support/processes.js";
import { createRuntimeHarness } from "../support/runtime-harness.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";

async function ask(url: string, body: object): Promise<{ status: number; json: Record<string, unknown> }> {
  const answer = await fetch(`${url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, json: JSON.parse(await answer.text()) };
}

t.test("one service object is started and stopped any number of times", async (t) => {
  const { service, url, stateDir, untilReady } = await startServiceHarness(t);
  await untilReady();
  t.equal((await ask(url, { input: "hello" })).status, 200);
  for (let round = 0; round < 3; round += 1) {
    await Promise.all([service.stop(), service.stop()]);
    t.equal(service.baseUrl, null);
    t.same(await findProcessesOf(stateDir), [], "nothing is left behind");
    const [first, second] = await Promise.all([service.start(), service.start()]);
    t.same(first, second, "a second start joins the first");
    t.equal((await ask(first.url ?? "", { input: "hello" })).status, 200);
  }
});

t.test("a host is told what happens, in order, and may be a bad listener", async (t) => {
  const { service, untilReady } = await startServiceHarness(t);
  const told: string[] = [];
  service.on("ready", () => {
    throw new Error("a listener's fault");
  });
  service.on("listening", () => Promise.reject(new Error("a listener's later fault")));
  const names = ["listening", "ready", "unavailable", "accountChanged", "stopping", "stopped"] as const;
  const unsubscribe = names.map((name) => service.on(name, () => void told.push(name)));
  await untilReady();
  await service.restart();
  t.same(await service.untilSettled(), { ready: true });
  await service.stop();
  t.same(told.slice(-7), [
    "stopping",
    "stopped",
    "listening",
    "accountChanged",
    "ready",
    "stopping",
    "stopped",
  ]);
  for (const stopListening of unsubscribe) stopListening();
  told.length = 0;
  await service.start();
  await service.destroy();
  t.same(told, []);
});

t.test("calls take effect in their order: what is asked for last holds", async (t) => {
  const { service } = await startServiceHarness(t);
  const restarted = service.restart();
  const stopped = service.stop();
  t.match(await restarted, { started: true });
  await stopped;
  t.equal(service.state, "stopped");
  const started = service.start();
  const stoppedAgain = service.stop();
  const { url } = await service.start();
  await Promise.all([started, stoppedAgain]);
  t.equal(service.baseUrl, url);
  t.equal(service.state, "running");
});

t.test("a chain survives the death of the worker that held it", async (t) => {
  const { runtime, backend } = await createRuntimeHarness(t, { login: "chatgpt", runtime: { workers: 1 } });
  const server = new CodexNativeApiServer({
    runtime,
    registry: new InMemoryCodexNativeApiContinuationRegistry(),
    host: "127.0.0.1",
    port: 0,
    authToken: null,
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 1_000_000,
    unsupportedParameters: "ignore",
    version: "test",
  });
  const { url } = await server.start();
  t.teardown(() => server.destroy());
  t.same(await runtime.start(), { ready: true });
  const first = await ask(url, { input: "one" });
  const generation = runtime.health().workers[0]?.generation ?? 0;
  await runtime.recycleWorker("worker-1");
  await pollUntil(
    () => (runtime.health().workers[0]?.generation ?? 0) > generation && runtime.readiness.ready,
  );
  const second = await ask(url, { input: "two", previous_response_id: first.json.id });
  t.match(second, { status: 200, json: { native_api: { continuation: { mode: "replayed" } } } });
  t.equal(backend.requests.at(-1)?.fullInput.length, 3, "the model sees the whole chain");
});

t.test("reconnect replaces Codex behind the same listener, and says where the service stands", async (t) => {
  const { logger, lines } = new LogLines();
  const { service, url, userHome, backend, untilReady } = await startServiceHarness(t, { logger });
  await untilReady();
  const first = service.health()?.appServer?.generation ?? 0;
  const [snapshot, joined] = await Promise.all([service.reconnect(), service.reconnect()]);
  t.match(snapshot, { ready: true, account: { authMode: "chatgpt" }, codexVersion: /^\d+\.\d+/ });
  t.ok((snapshot.appServerGeneration ?? 0) > first);
  t.ok((snapshot.modelCount ?? 0) > 0);
  t.equal(joined.appServerGeneration, snapshot.appServerGeneration, "one reconnection served both");
  t.equal(service.baseUrl, url);
  t.equal((await ask(url, { input: "hello" })).status, 200);
  t.match(
    lines.filter(({ event, level }) => event === "app_server.down" || Number(level) >= 50),
    [{ level: 30, isPlanned: true }],
    "it is no fault",
  );

  await createChatGptLogin({ home: userHome, backend, accountId: "acct-grace", email: "grace@example.com" });
  t.match(await service.reconnect(), { ready: true, account: { email: "grace@example.com" } });
  await logout(userHome);
  t.match(await service.reconnect(), {
    ready: false,
    error: { code: "native_login_required" },
    modelCount: null,
  });

  const [, ended] = await Promise.all([service.stop(), service.reconnect()]);
  t.match(ended, { ready: false });
  t.match(await service.reconnect(), { ready: false, error: { message: "The service is not running." } });
});

t.test("a turn that has shown nothing survives a reconnection", async (t) => {
  const { service, url, backend, untilReady } = await startServiceHarness(t);
  await untilReady();
  backend.setDefaultReply(stall());
  const answer = ask(url, { input: "hello" });
  await backend.waitForRequest();
  backend.setDefaultReply(text("hello again"));
  t.match(await service.reconnect(), { ready: true });
  t.match(await answer, { status: 200, json: { status: "completed" } });
});
