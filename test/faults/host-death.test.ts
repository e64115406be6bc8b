/** What is left of a host that ends without stopping its service: nothing, whichever way it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { createChatGptLogin, OfflineBackend, stall } from "../support/offline-backend/index.js";
import { findProcessesOf } from "../support/processes.js";
import { makeTemporaryDirectory, refuseLeftovers } from "../support/runtime-harness.js";
import { pollUntil } from "../support/service-harness.js";

const program = fileURLToPath(new URL("../support/doomed-host.js", import.meta.url));

async function startHost(t: Test, ending: "exit" | "throw" | "kill", appServer: "shared" | "stdio") {
  const root = await makeTemporaryDirectory(t);
  t.teardown(() => refuseLeftovers(root));
  const backend = await OfflineBackend.start();
  t.teardown(() => backend.close());
  backend.setDefaultReply(stall());
  const userHome = join(root, "codex");
  await createChatGptLogin({ home: userHome, backend });
  const settings = {
    listen: { port: 0 },
    codex: { userHome, stateDir: join(root, "state") },
    appServer,
    workers: 1,
  };
  const environment = { ...backend.environment(), HOME: root, PATH: "/usr/bin:/bin" };
  const host = spawn(process.execPath, [program, ending, JSON.stringify({ settings, environment })], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const exited = once(host, "exit");
  t.teardown(() => host.kill("SIGKILL"));
  const [line] = await once(host.stdout, "data");
  const { url }: { url: string } = JSON.parse(String(line));
  const body = JSON.stringify({ input: "a turn under way" });
  const headers = { "content-type": "application/json" };
  fetch(`${url}/v1/responses`, { method: "POST", headers, body }).catch(() => {
    // It ends with the host.
  });
  await backend.waitForRequest();
  return { root, host, exited };
}

const endings = [
  { ending: "exit", appServer: "shared", code: 3 },
  { ending: "throw", appServer: "shared", code: 1 },
  { ending: "kill", appServer: "shared", code: null },
  { ending: "kill", appServer: "stdio", code: null },
] as const;

for (const { ending, appServer, code } of endings) {
  t.test(`a host that ends by ${ending} leaves no process of a ${appServer} app-server`, async (t) => {
    const { root, host, exited } = await startHost(t, ending, appServer);
    t.ok((await findProcessesOf(root)).length > 0, "there is something to leave behind");
    const began = performance.now();
    if (ending === "kill") host.kill("SIGKILL");
    else host.stdin.write("now\n");
    t.equal((await exited)[0], code);
    await pollUntil(async () => (await findProcessesOf(root)).length === 0);
    t.comment(`gone after ${(performance.now() - began).toFixed(0)} ms`);
  });
}
