import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { readProcessIdentity } from "../../../../src/main/runtime/app-server/process-identity.js";
import { type CommandOptions, runCommand } from "../../../../src/main/runtime/app-server/run-command.js";
import { makeDirectory, waitUntil, writeScript } from "./fixtures.js";

const base: Omit<CommandOptions, "command" | "args"> = {
  env: { PATH: "/usr/bin:/bin" },
  timeoutMs: 10_000,
  maxOutputBytes: 1024,
};

t.test("a command's code, output and last words are answered", async (t) => {
  const result = await runCommand({
    ...base,
    command: "/bin/sh",
    args: ["-c", "echo out; echo err >&2; exit 3"],
  });
  t.same(result, { outcome: "exited", code: 3, stdout: "out\n", stderrTail: "err" });
});

t.test("a command that is not there is an answer and not a throw", async (t) => {
  const result = await runCommand({ ...base, command: "/no/such/command", args: [] });
  t.same(result, { outcome: "not_started", errorCode: "ENOENT" });
});

t.test("a command that kills itself is told apart", async (t) => {
  const result = await runCommand({ ...base, command: "/bin/sh", args: ["-c", "kill -9 $$"] });
  t.match(result, { outcome: "signalled", signal: "SIGKILL" });
});

t.test("a deadline ends the command and what it started", async (t) => {
  const directory = await makeDirectory(t);
  const script = await writeScript(join(directory, "slow"), `sleep 600 & echo $! > ${directory}/pid; wait`);
  const result = await runCommand({ ...base, command: script, args: [], timeoutMs: 400 });
  t.same(result, { outcome: "timed_out" });
  const pid = Number(await readFile(join(directory, "pid"), "utf8"));
  await waitUntil(async () => (await readProcessIdentity(pid)) === null);
});

t.test("more output than allowed ends the command", async (t) => {
  const result = await runCommand({
    ...base,
    command: "/bin/sh",
    args: ["-c", "while :; do echo 0123456789; done"],
  });
  t.same(result, { outcome: "output_too_large" });
});

t.test("a grandchild that holds the pipes does not hold the answer", async (t) => {
  const started = performance.now();
  const result = await runCommand({
    ...base,
    command: "/bin/sh",
    args: ["-c", "sleep 15 & echo done"],
  });
  t.match(result, { outcome: "exited", code: 0, stdout: "done\n" });
  t.ok(performance.now() - started < 12_000);
});
