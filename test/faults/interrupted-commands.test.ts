/** Ctrl-C while a command starts a Codex of its own, at every step of that: nothing is left. */
import { join } from "node:path";
import t, { type Test } from "tap";
import { loginByDeviceCode } from "../../src/main/codex/login/device-login.js";
import { CommandProcess, prepareCommand } from "../support/cli-harness.js";
import { Leftovers } from "../support/leftovers.js";
import { startSteps, writePausedCodex } from "../support/paused-codex.js";
import { findProcessesOf } from "../support/processes.js";
import { pollUntil } from "../support/service-harness.js";

async function preparePaused(t: Test) {
  const { root, environment } = await prepareCommand(t);
  const codex = await writePausedCodex(root);
  return { root, codex, environment: { ...environment, CODEX_NATIVE_API_CODEX_BIN: codex.bin } };
}

for (const argv of [["doctor"], ["ask", "Hello?"], ["login"]]) {
  t.test(`Ctrl-C at any step of ${argv[0]} ends it at once, with all it started`, async (t) => {
    const { root, codex, environment } = await preparePaused(t);
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
  const { root, codex, environment } = await preparePaused(t);
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
