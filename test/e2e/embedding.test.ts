/** The service inside a host program. (What the host leaves when it dies: test/faults/host-death.test.ts.) */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import t from "tap";
import {
  type CodexNativeApiServiceEvents,
  InMemoryCodexNativeApiContinuationRegistry,
} from "../../src/main/index.js";
import { askService, embedService, prepareHost } from "../support/host-harness.js";
import { switchAccount, text } from "../support/offline-backend/index.js";
import { findProcessesOf } from "../support/processes.js";
import { pollUntil } from "../support/service-harness.js";

t.test("two services in one process, of two accounts, on one state directory, do not meet", async (t) => {
  const hosts = [
    await prepareHost(t, { accountId: "acct-one", email: "one@example.test", userId: "user-one" }),
    await prepareHost(t, { accountId: "acct-two", email: "two@example.test", userId: "user-two" }),
  ] as const;
  const [one, two] = hosts.map((host, index) => {
    host.backend.setDefaultReply(text(`from ${index + 1}`));
    return embedService(
      t,
      { ...host, settings: hosts[0].settings },
      {
        codex: { ...hosts[0].settings.codex, userHome: host.userHome },
      },
    );
  });
  if (one === undefined || two === undefined) throw new Error("there are two");
  const told: string[] = [];
  for (const name of ["ready", "stopping", "stopped"] as const) two.on(name, () => told.push(name));
  await Promise.all([one.start(), two.start()]);
  t.same(await Promise.all([one.untilSettled(), two.untilSettled()]), [{ ready: true }, { ready: true }]);
  t.not(one.baseUrl, two.baseUrl);
  t.equal(one.health()?.account?.email, "one@example.test");
  t.equal(two.health()?.account?.email, "two@example.test");

  const [first, second] = await Promise.all([
    askService(one, { input: "hello" }),
    askService(two, { input: "hello" }),
  ]);
  t.match(first, { status: 200, json: { native_api: { request_target: { account_id: "acct-one" } } } });
  t.match(second, { status: 200, json: { native_api: { request_target: { account_id: "acct-two" } } } });
  t.same(
    hosts.map(({ backend }) => backend.requests.at(-1)?.accountId),
    ["acct-one", "acct-two"],
  );
  t.equal((await fetch(`${two.baseUrl}/v1/responses/${first.json.id}`)).status, 404);
  const metrics = await (await fetch(`${two.baseUrl}/metrics`)).text();
  t.match(metrics, /^codex_native_api_turns_total\{[^}]*\} 1$/m, "each counts its own turns");

  await one.stop();
  t.same(told, ["ready"], "the one's end is not the other's");
  t.equal((await askService(two, { input: "still there" })).status, 200);
});

t.test("a service that is not enabled is not started, and says so", async (t) => {
  const host = await prepareHost(t);
  const service = embedService(t, host, { enabled: false });
  service.on("listening", () => t.fail("it listens"));
  t.same(await service.start(), { started: false, url: null });
  t.same(await service.restart(), { started: false, url: null });
  t.match(await service.untilSettled(), { ready: false, error: { code: "native_runtime_unavailable" } });
  t.equal(service.baseUrl, null);
  await service.stop();
});

t.test("nothing is left of a start that failed, and the next one may succeed", async (t) => {
  const host = await prepareHost(t);
  const squatter = createServer();
  t.teardown(() => squatter.close());
  await new Promise<void>((resolve) => squatter.listen(0, "127.0.0.1", resolve));
  const address = squatter.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const service = embedService(t, host, { listen: { port } });
  const unsubscribe = service.on("stopped", () => t.fail("it never ran"));
  await t.rejects(service.start(), { code: "EADDRINUSE" });
  unsubscribe();
  t.equal(service.state, "stopped");
  t.same(await findProcessesOf(host.root), []);
  await new Promise((resolve) => squatter.close(resolve));
  t.match(await service.start(), { started: true, url: `http://127.0.0.1:${port}` });
});

t.test("a state directory that cannot be used fails the start and frees the port", async (t) => {
  const host = await prepareHost(t);
  const stateDir = join(host.root, "a-file");
  await writeFile(stateDir, "");
  const service = embedService(t, host, { codex: { ...host.settings.codex, stateDir } });
  await t.rejects(service.start(), { code: "native_runtime_unavailable" });
  t.equal(service.baseUrl, null);
});

t.test("a registry of the host's own outlives restarts of the service, and so do its chains", async (t) => {
  const host = await prepareHost(t);
  const registry = new InMemoryCodexNativeApiContinuationRegistry();
  registry.start();
  t.teardown(() => registry.close());
  const service = embedService(t, host, {}, { registry });
  await service.start();
  await service.untilSettled();
  const first = await askService(service, { input: "one" });
  await service.restart();
  await service.untilSettled();
  const second = await askService(service, { input: "two", previous_response_id: first.json.id });
  t.match(second, { status: 200, json: { native_api: { continuation: { mode: "replayed" } } } });
  t.equal(host.backend.requests.at(-1)?.fullInput.length, 3);
});

t.test("a service for one account runs nothing on another, and recovers when that one is back", async (t) => {
  const host = await prepareHost(t, { accountId: "acct-other" });
  const service = embedService(t, host, {}, { accountId: "acct-ours", providerProfileId: "ours" });
  const unavailable: CodexNativeApiServiceEvents["unavailable"][] = [];
  service.on("unavailable", (event) => unavailable.push(event));
  await service.start();
  t.match(await service.untilSettled(), { ready: false, error: { code: "native_login_required" } });
  t.match(unavailable, [{ code: "native_login_required", message: /another account/, recovering: false }]);
  t.match(await askService(service, { input: "hello" }), {
    status: 503,
    json: { error: { code: "native_login_required" } },
  });
  t.equal(host.backend.requests.length, 0);
  await switchAccount(host.userHome, { backend: host.backend, accountId: "acct-ours" });
  await pollUntil(() => service.health()?.readiness.ready === true);
  const target = { account_id: "acct-ours", provider_profile_id: "ours" };
  t.match(await askService(service, { input: "hello" }), {
    status: 200,
    json: { native_api: { request_target: target } },
  });
});

t.test(
  "nothing is read of the host's environment and argv, and no listener is put on its process",
  async (t) => {
    const host = await prepareHost(t);
    const program = fileURLToPath(new URL("../support/quiet-host.js", import.meta.url));
    const poison = {
      PATH: "/nowhere",
      HOME: host.root,
      CODEX_HOME: "/nowhere/codex",
      CODEX_NATIVE_API_PORT: "not a port",
      CODEX_NATIVE_API_STATE_DIR: "/nowhere/state",
      CODEX_NATIVE_API_AUTH_TOKEN: "poison",
      CODEX_NATIVE_API_UNKNOWN: "1",
    };
    const argv = [program, JSON.stringify({ settings: host.settings, environment: host.environment })];
    const { stdout } = await promisify(execFile)(process.execPath, [...argv, "--port", "none", "serve"], {
      env: poison,
    });
    t.match(JSON.parse(stdout), { status: 200, reads: [], added: [] });
  },
);
