import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { loginByDeviceCode } from "../../src/main/codex/login/device-login.js";
import { prepareLogin } from "../support/cli-harness.js";
import { testCodexBin } from "../support/codex-version.js";
import { findProcessesOf } from "../support/processes.js";

async function prepare(t: Test) {
  const { root, backend, userHome } = await prepareLogin(t);
  const options = {
    bin: testCodexBin,
    userHome,
    config: {},
    environment: { ...backend.environment(), HOME: root, PATH: "/usr/bin:/bin", SECRET: "not for Codex" },
    version: "0.0.0-test",
    signal: new AbortController().signal,
    onCode: () => {},
  };
  return { root, backend, options };
}

t.test("a login whose app-server dies ends with that", { skip: process.platform !== "linux" }, async (t) => {
  const { root, options } = await prepare(t);
  const outcome = await loginByDeviceCode({
    ...options,
    onCode: () => {
      void findProcessesOf(root).then((pids) => {
        for (const pid of pids) process.kill(pid, "SIGKILL");
      });
    },
  });
  t.match(outcome, { status: "failed", message: /^Codex ended while it waited/ });
});

t.test("a login cancelled before it began starts nothing that stays", async (t) => {
  const { root, backend, options } = await prepare(t);
  const before = await readFile(join(root, "codex", "auth.json"), "utf8");
  t.same(await loginByDeviceCode({ ...options, signal: AbortSignal.abort() }), { status: "cancelled" });
  t.equal(backend.counters.deviceCodePolls, 0);
  t.equal(await readFile(join(root, "codex", "auth.json"), "utf8"), before);
});

t.test("without a binary there is an error that says what to do", async (t) => {
  const { options } = await prepare(t);
  await t.rejects(loginByDeviceCode({ ...options, bin: "/nowhere/codex" }), {
    code: "native_runtime_unavailable",
    message: /CODEX_NATIVE_API_CODEX_BIN/,
  });
});
