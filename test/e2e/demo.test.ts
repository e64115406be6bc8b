/** `codex-native-api demo` as a newcomer meets it: it answers, or says in one line why it cannot. */
import { readdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { dirname } from "node:path";
import OpenAI from "openai";
import t, { type Test } from "tap";
import { CommandProcess, runCommandProcess } from "../support/cli-harness.js";
import { makeTemporaryDirectory, refuseLeftovers } from "../support/runtime-harness.js";

/** What a newcomer's shell has; and a folder for temporary files that is the test's own, to see what is left in it. */
async function makeShell(t: Test) {
  const root = await makeTemporaryDirectory(t);
  t.teardown(() => refuseLeftovers(root));
  return {
    root,
    environment: { HOME: root, TMPDIR: root, PATH: `${dirname(process.execPath)}:/usr/bin:/bin` },
  };
}

/** A port that another program holds. */
async function holdPort(t: Test): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

t.test("it shows a request and its answer, and leaves nothing behind", async (t) => {
  const { root, environment } = await makeShell(t);
  const { code, stdout, stderr } = await runCommandProcess(t, environment, ["demo", "--once", "--port", "0"]);
  t.equal(code, 0);
  t.match(stdout, /POST http:\/\/127\.0\.0\.1:\d+\/v1\/responses .*\n\n {2}Hello! This answer was streamed/);
  t.match(stdout, /response\.completed: resp_\w+, model /);
  t.equal(stderr, "");
  t.strictSame(await readdir(root), []);
});

t.test("it serves on: page, curl and OpenAI's client work, until Ctrl-C", async (t) => {
  const { root, environment } = await makeShell(t);
  const demo = new CommandProcess(t, environment, ["demo", "--port", "0"]);
  const [, page = ""] = await demo.untilPrinted(/The page, in a browser:\n\n {2}(http:\S+)\n/);
  await demo.untilPrinted(/ {2}curl .*\n {2}codex-native-api login\n {2}codex-native-api serve\n/);

  const answer = await fetch(page, { headers: { accept: "text/html" } });
  t.match(answer, { status: 200, headers: { get: Function } });
  t.match(answer.headers.get("content-type"), /^text\/html/);
  const client = new OpenAI({ baseURL: `${page}v1`, apiKey: "local" });
  const { output_text: text } = await client.responses.create({ input: "What is a demo?" });
  t.match(text, /You said: What is a demo\?$/);
  const decided = await fetch(`${page}v1/decisions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      input: "I want my money back.",
      questions: [{ type: "predicate", instructions: "The customer asks for a refund." }],
    }),
  });
  t.match(await decided.json(), { answers: [{ type: "predicate", probability: 0.75 }] });

  demo.child.kill("SIGINT");
  t.match(await demo.ended, { code: 0, stderr: "" });
  t.strictSame(await readdir(root), []);
});

t.test("where the port is taken it says so, and takes another", async (t) => {
  const { environment } = await makeShell(t);
  const port = await holdPort(t);
  const argv = ["demo", "--once", "--port", String(port)];
  const { code, stdout, stderr } = await runCommandProcess(t, environment, argv);
  t.equal(code, 0);
  t.equal(
    stderr,
    `codex-native-api: another program holds 127.0.0.1:${port}; the demo takes a free port instead\n`,
  );
  const [, taken] = /POST http:\/\/127\.0\.0\.1:(\d+)\//.exec(stdout) ?? [];
  t.not(taken, String(port));
  t.match(stdout, /Hello!/);
});

t.test("Ctrl-C while it starts ends it, and leaves nothing behind", async (t) => {
  const { root, environment } = await makeShell(t);
  const demo = new CommandProcess(t, environment, ["demo", "--port", "0"]);
  await demo.untilPrinted(/^Starting /);
  demo.child.kill("SIGINT");
  const { code, stderr } = await demo.ended;
  t.equal(code, 130);
  t.equal(stderr, "");
  t.strictSame(await readdir(root), []);
});

t.test("the user's own settings lead it nowhere: login, proxies, keys and state are its own", async (t) => {
  const { environment } = await makeShell(t);
  const elsewhere = {
    HTTP_PROXY: "http://127.0.0.1:9",
    ALL_PROXY: "http://127.0.0.1:9",
    OPENAI_API_KEY: "sk-mine",
    CODEX_HOME: "/nowhere/codex",
    CODEX_NATIVE_API_STATE_DIR: "/nowhere/state",
    CODEX_NATIVE_API_AUTH_TOKEN: "a-token-of-some-length",
    CODEX_NATIVE_API_PORT: "0",
  };
  const { code, stdout, stderr } = await runCommandProcess(t, { ...environment, ...elsewhere }, [
    "demo",
    "--once",
  ]);
  t.equal(code, 0, stderr);
  t.match(stdout, /Hello!/);
});

t.test("where it cannot run it says why, without a stack, and starts nothing", async (t) => {
  const { root, environment } = await makeShell(t);
  const faults: readonly [argv: readonly string[], line: RegExp][] = [
    [["--codex-bin", "/nowhere/codex"], /Codex binary was not found.*CODEX_BIN/],
    [["--port", "many"], /--port: "many" is not allowed/],
    [["--host", "0.0.0.0", "--auth-token-file", "/nowhere/token"], /token/],
    [["--state-dir", root], /--state-dir: is for serve; the demo takes --port, --codex-bin and --once/],
  ];
  for (const [argv, line] of faults) {
    const end = await runCommandProcess(t, environment, ["demo", "--once", ...argv]);
    t.equal(end.code, 2, argv.join(" "));
    t.match(end.stderr, line);
    t.notMatch(end.stderr, /^\s+at /m, "no stack");
    t.equal(end.stdout, "");
  }
});
