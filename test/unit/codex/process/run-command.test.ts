import { getEventListeners } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { readProcessIdentity } from "../../../../src/main/codex/process/process-identity.js";
import { type CommandOptions, runCommand } from "../../../../src/main/codex/process/run-command.js";
import { makeDirectory, waitUntil, writeScript } from "../fixtures.js";

const base: Omit<CommandOptions, "command" | "args"> = {
  env: { PATH: "/usr/bin:/bin" },
  timeoutMs: 10_000,
  maxOutputBytes: 1024,
};

t.test("the result has a command's code, output and end of stderr", async (t) => {
  const result = await runCommand({
    ...base,
    command: "/bin/sh",
    args: ["-c", "echo out; echo err >&2; exit 3"],
  });
  t.same(result, { outcome: "exited", code: 3, stdout: "out\n", stderrTail: "err" });
});

t.test("a missing command is a result, not an exception", async (t) => {
  const result = await runCommand({ ...base, command: "/no/such/command", args: [] });
  t.same(result, { outcome: "not_started", errorCode: "ENOENT" });
});

t.test("a command that kills itself has an outcome of its own", async (t) => {
  const result = await runCommand({ ...base, command: "/bin/sh", args: ["-c", "kill -9 $$"] });
  t.match(result, { outcome: "signalled", signal: "SIGKILL" });
});

t.test("the deadline ends the command and its children", async (t) => {
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

t.test("a grandchild that holds the pipes open does not delay the result", async (t) => {
  const started = performance.now();
  const result = await runCommand({
    ...base,
    command: "/bin/sh",
    args: ["-c", "sleep 15 & echo done"],
  });
  t.match(result, { outcome: "exited", code: 0, stdout: "done\n" });
  t.ok(performance.now() - started < 12_000);
});

/** A script that starts a child, writes its pid to a file, and waits for it. */
async function writeWaiting(t: Test) {
  const directory = await makeDirectory(t);
  const pidFile = join(directory, "pid");
  const command = await writeScript(
    join(directory, "slow"),
    `sleep 600 & echo $! > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; wait`,
  );
  return { command, readPid: async () => Number(await readFile(pidFile, "utf8").catch(() => "0")) };
}

t.test("an abort ends the command and its children", async (t) => {
  const { command, readPid } = await writeWaiting(t);
  const abort = new AbortController();
  const result = runCommand({ ...base, command, args: [], timeoutMs: 60_000, signal: abort.signal });
  await waitUntil(async () => (await readPid()) > 0);
  const pid = await readPid();
  abort.abort();
  t.same(await result, { outcome: "aborted" });
  await waitUntil(async () => (await readProcessIdentity(pid)) === null);
});

t.test("an already aborted signal starts no command", async (t) => {
  const { command, readPid } = await writeWaiting(t);
  const result = await runCommand({ ...base, command, args: [], signal: AbortSignal.abort() });
  t.same(result, { outcome: "aborted" });
  t.equal(await readPid(), 0);
});

t.test("an abort after the end changes nothing, and no listener is left on the signal", async (t) => {
  const abort = new AbortController();
  const result = runCommand({ ...base, command: "/bin/sh", args: ["-c", "echo out"], signal: abort.signal });
  t.equal(getEventListeners(abort.signal, "abort").length, 1);
  t.match(await result, { outcome: "exited", code: 0 });
  t.equal(getEventListeners(abort.signal, "abort").length, 0);
  abort.abort();
});
