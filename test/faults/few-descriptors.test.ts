/** A low limit on open files, as `ulimit -n 256` sets it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { text as readText } from "node:stream/consumers";
import t, { type Test } from "tap";
import { cliPath, type LogLine, prepareCommand } from "../support/cli-harness.js";
import { testCodexBin } from "../support/codex-version.js";
import { text } from "../support/offline-backend/index.js";

t.setTimeout(240_000);

const skip = process.platform === "linux" ? false : "the limit is read from /proc";

async function startLimited(t: Test, argv: readonly string[]) {
  const { backend, environment } = await prepareCommand(t);
  backend.setDefaultReply(text("fine"));
  const child = spawn(
    "/bin/sh",
    ["-c", 'ulimit -n 256; exec "$0" "$@"', process.execPath, cliPath, ...argv],
    {
      env: {
        ...environment,
        ...(testCodexBin !== null && { CODEX_NATIVE_API_CODEX_BIN: testCodexBin }),
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const exited = once(child, "exit");
  t.teardown(async () => {
    child.kill("SIGTERM");
    await exited;
  });
  return { child, exited };
}

t.test(
  "the service says at its start what the limit lacks, and keeps what it needs for itself",
  { skip },
  async (t) => {
    const { child } = await startLimited(t, ["serve", "--workers", "2"]);
    const lines: LogLine[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(JSON.parse(line));
      if (lines.at(-1)?.event === "codex.ready") break;
    }
    child.stdout.resume();
    t.match(
      lines.find(({ event }) => event === "service.few_descriptors"),
      { level: "warn", limit: 256, connections: 128, maxConnections: 4096, msg: /ulimit -n 4224/ },
    );
    const url = String(lines.find(({ event }) => event === "service.listening")?.url);
    const port = Number(new URL(url).port);
    const sockets: Socket[] = [];
    t.teardown(() => {
      for (const socket of sockets) socket.destroy();
    });
    const closed = await new Promise<number>((resolve) => {
      let ended = 0;
      for (let opened = 0; opened < 400; opened += 1) {
        const socket = connect({ host: "127.0.0.1", port });
        socket.on("error", () => {});
        socket.on("close", () => {
          ended += 1;
          if (ended === 400 - 128) resolve(ended);
        });
        sockets.push(socket);
      }
    });
    t.equal(closed, 272, "one more is closed, and none waits without a word");
    for (const socket of sockets.splice(0)) socket.destroy();
    const answer = await fetch(`${url}/v1/responses`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input: "hello" }),
    });
    t.equal(answer.status, 200);
  },
);

t.test("doctor names the limit and what to do", { skip }, async (t) => {
  const { child, exited } = await startLimited(t, ["doctor"]);
  const report = await readText(child.stdout);
  await exited;
  t.match(report, /^warn {2}open files {5}the limit of 256 is too low for 4096 connections$/m);
  t.match(report, /ulimit -n 4224/);
});
