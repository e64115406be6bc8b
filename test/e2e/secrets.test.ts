/** Every secret the service is given, looked for in all that it shows: logs, answers, processes and files. */
import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { cliPath, prepareCommand, ServeProcess } from "../support/cli-harness.js";
import { findProcessesOf } from "../support/processes.js";

const secrets = {
  variable: "secret-of-the-variable",
  entry: "secret-of-the-config-file",
  file: "secret-of-the-tokens-file",
  guess: "secret-that-is-a-guess",
  foreign: "secret-of-another-program",
} as const;

t.test("no secret is in a log line, an answer, a command line, or the environment of Codex", async (t) => {
  const { root, environment: ordinary } = await prepareCommand(t);
  const write = (name: string, value: unknown) =>
    writeFile(join(root, name), JSON.stringify(value), { mode: 0o600 });
  await write("config.json", {
    auth: { tokens: [{ name: "ada", token: secrets.entry }] },
    logLevel: "trace",
  });
  await write("tokens.json", [{ name: "bob", token: secrets.file }]);
  const environment = {
    ...ordinary,
    CODEX_NATIVE_API_CONFIG: join(root, "config.json"),
    CODEX_NATIVE_API_AUTH_TOKEN: secrets.variable,
    CODEX_NATIVE_API_AUTH_TOKENS_FILE: join(root, "tokens.json"),
    OTHER_PROGRAM_API_KEY: secrets.foreign,
  };
  const serve = new ServeProcess(t, environment);
  const url = String((await serve.waitFor("service.listening")).url);
  await serve.waitFor("codex.ready");

  const answers: string[] = [];
  const ask = async (token: string, path: string, body?: object) => {
    const answer = await fetch(url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    answers.push(JSON.stringify([...answer.headers]), await answer.text());
    return answer.status;
  };
  for (const token of [secrets.variable, secrets.entry, secrets.file]) {
    t.equal(await ask(token, "/v1/responses", { input: "hi" }), 200);
    t.equal(await ask(token, "/v1/responses", { input: "hi", model: "no-such-model" }), 404);
    t.equal(await ask(token, "/v1/responses", { input: 5 }), 400);
    t.equal(await ask(token, "/v1/health"), 200);
    t.equal(await ask(token, "/metrics"), 200);
  }
  t.equal(await ask(secrets.guess, "/v1/responses", { input: "hi" }), 401);

  const { stdout } = await promisify(execFile)(process.execPath, [cliPath, "config"], { env: environment });
  const processes: string[] = [];
  const pids = await findProcessesOf(root);
  t.ok(pids.length >= 2, "the service and Codex");
  for (const pid of pids) {
    processes.push(await readFile(`/proc/${pid}/cmdline`, "utf8"));
    if (pid !== serve.child.pid) processes.push(await readFile(`/proc/${pid}/environ`, "utf8"));
  }
  const state = join(root, "state");
  const files: string[] = [];
  for (const entry of await readdir(state, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) files.push(await readFile(join(entry.parentPath, entry.name), "latin1"));
  }

  const places = { log: serve.lines, answers, "config command": stdout, processes, "state directory": files };
  for (const [place, shown] of Object.entries(places)) {
    const text = JSON.stringify(shown);
    t.ok(text.length > 100, `${place}: there is something to look through`);
    for (const [whose, secret] of Object.entries(secrets))
      t.notOk(text.includes(secret), `${place}: ${whose}`);
  }
});
