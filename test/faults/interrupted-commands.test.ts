/** Ctrl-C while a command starts a Codex of its own, at every step of that: nothing is left. */
import { join } from "node:path";
import t, { type Test } from "tap";
import { loginByDeviceCode } from "../../src/main/runtime/device-login.js";
import { CommandProcess } from "../support/cli-harness.js";
import { Leftovers } from "../support/leftovers.js";
import { createChatGptLogin, OfflineBackend } from "../support/offline-backend/index.js";
import { startSteps, writePausedCodex } from "../support/paused-codex.js";
import { findProcessesOf } from "../support/processes.js";
import { makeTemporaryDirectory, refuseLeftovers } from "../support/runtime-harness.js";
import { pollUntil } from "../support/service-harness.js";

/** What a command needs: a login, a backend, and port 0, so that there is no service to be asked. */
async function prepareCommand(t: Test) {
  const root = await makeTemporaryDirectory(t);
  t.teardown(() => refuseLeftovers(root));
  const backend = await OfflineBackend.start();
  t.teardown(() => backend.close());
  await createChatGptLogin({ home: join(root, "codex"), backend });
  const codex = await writePausedCodex(root);
  const environment = {
    ...backend.environment(),
    HOME: root,
    PATH: "/usr/bin:/bin",
    CODEX_HOME: join(root, "codex"),
    CODEX_NATIVE_API_STATE_DIR: join(root, "state"),
    CODEX_NATIVE_API_PORT: "0",
    CODEX_NATIVE_API_CODEX_BIN: codex.bin,
  };
  return { root, codex, environment };
}

for (const argv of [["doctor"], ["ask", "Hello?"], ["login"]]) {
  t.test(`Ctrl-C at any step of ${argv[0]} ends it at once, with all it started`, async (t) => {
    const { root, codex, environment } = await prepareCommand(t);
    for (const [index, step] of startSteps.entries()) {
      // A login starts an app-server of its own, without a catalog.
      if (argv[0] === "login" && step === "catalog") continue;
      await codex.pauseAt(step);
      const stateDir = join(root, `state-${index}`);
      const command = new CommandProcess(t, { ...environment, CODEX_NATIVE_API_STATE_DIR: stateDir }, argv);
      await codex.untilPaused();
      command.child.kill("SIGINT");
      const interruptedAtMs = performance.now();
      t.equal((await command.ended).code, 130, `at ${step}`);
      t.comment(`${argv[0]} at ${step}: ${Math.round(performance.now() - interruptedAtMs)} ms`);
      await pollUntil(async () => (await findProcessesOf(root)).length === 0);
      await codex.goOn();
    }
  });
}

t.test("a device login that is cancelled while it starts leaves nothing", async (t) => {
  const { root, codex, environment } = await prepareCommand(t);
  for (const step of [null, "version", "spawned"] as const) {
    const abort = new AbortController();
    if (step !== null) await codex.pauseAt(step);
    const leftovers = new Leftovers(root);
    const outcome = loginByDeviceCode({
      bin: codex.bin,
      userHome: join(root, "codex"),
      config: {},
      environment,
      version: "0.0.0-test",
      signal: abort.signal,
      onCode: () => {},
    });
    if (step !== null) await codex.untilPaused();
    abort.abort();
    t.same(await outcome, { status: "cancelled" });
    t.same(await leftovers.find(), [], `at ${step}`);
    await codex.goOn();
  }
});
