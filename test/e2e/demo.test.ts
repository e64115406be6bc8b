/** `npm run demo` as people meet it: it answers, or says in one line why it cannot. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { testCodexBin } from "../support/codex-version.js";

const program = fileURLToPath(new URL("../support/demo.js", import.meta.url));

function startDemo(t: Test, argv: readonly string[]) {
  const { HOME = "/", TMPDIR = "/tmp" } = process.env;
  const bin = testCodexBin === null || argv.includes("--codex-bin") ? [] : ["--codex-bin", testCodexBin];
  const child = spawn(process.execPath, [program, ...bin, ...argv], {
    env: { PATH: "/usr/bin:/bin", HOME, TMPDIR },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
    });
  }
  return { child, texts };
}

async function runDemo(t: Test, argv: readonly string[]) {
  const { child, texts } = startDemo(t, ["--once", ...argv]);
  const [code] = await once(child, "close");
  return { code, ...texts };
}

t.test("the demo shows a request and its answer", async (t) => {
  const { code, stdout, stderr } = await runDemo(t, ["--port", "0"]);
  t.equal(code, 0);
  t.match(stdout, /Hello! This answer was streamed/);
  t.equal(stderr, "");
});

t.test("it goes on running, and answers what else a newcomer tries", async (t) => {
  const { child, texts } = startDemo(t, ["--port", "0"]);
  while (!texts.stdout.includes("Ctrl-C stops it")) await once(child.stdout, "data");
  const url = /POST (http:\S+)\/v1\/responses/.exec(texts.stdout)?.[1] ?? "";
  const answer = await fetch(`${url}/v1/decisions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "gpt-6-luna",
      input: "I want my money back.",
      questions: [{ type: "predicate", instructions: "The customer asks for a refund." }],
    }),
  });
  t.match(await answer.json(), { answers: [{ type: "predicate", probability: 0.75 }] });
  child.kill("SIGINT");
  const [code] = await once(child, "close");
  t.equal(code, 0);
});

t.test("where it cannot run it says why, in one line without a stack", async (t) => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  const faults: readonly [argv: readonly string[], code: number, line: RegExp][] = [
    [["--port", String(port)], 1, /another program holds 127\.0\.0\.1:\d+; .*--port/],
    [["--port", "0", "--codex-bin", "/nowhere/codex"], 1, /Codex binary was not found.*CODEX_BIN/],
    [["--port", "many"], 2, /--port: "many" is not allowed/],
  ];
  for (const [argv, code, line] of faults) {
    const end = await runDemo(t, argv);
    t.equal(end.code, code, argv.join(" "));
    t.match(end.stderr, line);
    t.equal(end.stderr.trimEnd().split("\n").length, 1, end.stderr);
    t.notMatch(end.stdout, /^\s+at /m, "no stack");
  }
});
