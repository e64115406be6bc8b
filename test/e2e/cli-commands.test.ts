import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { CommandProcess, prepareCommand, runCommandProcess, ServeProcess } from "../support/cli-harness.js";
import { needs, offlineDeviceLogin } from "../support/codex-version.js";
import { decide, isDecision } from "../support/offline-backend/decisions.js";
import { logout, reply, stall, text } from "../support/offline-backend/index.js";

t.test("ask starts Codex for one question, prints the answer and leaves nothing behind", async (t) => {
  const { environment, backend, stateDir } = await prepareCommand(t);
  backend.setDefaultReply(text({ deltas: ["Par", "is."] }));
  const argv = ["ask", "--instructions", "Be brief."];
  const ended = await runCommandProcess(t, environment, argv, "The capital of France?\n");
  t.strictSame(ended, { code: 0, stdout: "Paris.\n", stderr: "" });
  t.match(JSON.stringify(backend.requests.at(-1)?.body), /The capital of France\?.*|Be brief\./);
  const leftovers = await readdir(stateDir, { recursive: true });
  t.same(
    leftovers.filter((name) => /\.sock|ledger.+/.test(name)),
    [],
  );
});

t.test("ask --json-schema prints what the model was bound to", async (t) => {
  const { environment, backend } = await prepareCommand(t);
  backend.setDefaultReply(text({ deltas: ['{"intent":', '"question"}'] }));
  const schema = {
    type: "object",
    properties: { intent: { type: "string" } },
    required: ["intent"],
    additionalProperties: false,
  };
  const argv = ["ask", "--json-schema", JSON.stringify(schema), "Hello?"];
  const { code, stdout } = await runCommandProcess(t, environment, argv);
  t.equal(code, 0);
  t.strictSame(JSON.parse(stdout), { intent: "question" });
  t.match(backend.requests.at(-1)?.body, { text: { format: { type: "json_schema", strict: true } } });
});

t.test("decide starts Codex for one question, and prints the answer and how likely each is", async (t) => {
  const { environment, backend } = await prepareCommand(t);
  backend.setDefaultReply(decide);
  const argv = ["decide", "--choice", "billing,support", "--question", "Which team?"];
  const ended = await runCommandProcess(t, environment, argv, "I was charged twice.\n");
  const stdout = "support\n  0.90  support\n  0.10  billing\n  0.80  (confidence)\n";
  t.strictSame(ended, { code: 0, stdout, stderr: "" });
  t.match(backend.requests.at(-1)?.body, { text: { format: { type: "json_schema", strict: true } } });
  t.match(backend.requests.at(-1)?.body.reasoning, { effort: "low" });
});

t.test("without a service ask and decide know the configured aliases of models", async (t) => {
  const { environment, backend } = await prepareCommand(t);
  const aliased = { ...environment, CODEX_NATIVE_API_MODEL_ALIASES: "thorough=gpt-5.5?effort=high" };
  for (const command of [["ask"], ["decide", "--predicate", "It is urgent."]]) {
    backend.setDefaultReply((request) => (isDecision(request) ? decide(request) : text("well")));
    const ended = await runCommandProcess(t, aliased, [...command, "--model", "thorough", "Hello?"]);
    t.match(ended, { code: 0, stderr: "" });
    t.match(backend.requests.at(-1)?.body, { model: "gpt-5.5", reasoning: { effort: "high" } });
  }
});

t.test(
  "Ctrl-C interrupts the turn of ask upstream and ends with 130",
  needs("upstream_interrupt"),
  async (t) => {
    const { environment, backend } = await prepareCommand(t);
    backend.setDefaultReply(reply(text({ deltas: ["half", "half"] }), stall({ afterDeltas: 1 })));
    const ask = new CommandProcess(t, environment, ["ask", "Hello?"]);
    await ask.untilPrinted(/half/);
    ask.child.kill("SIGINT");
    t.match(await ask.ended, { code: 130, stdout: "half\n", stderr: "" });
    t.equal(backend.counters.openStreams, 0);
  },
);

t.test("Ctrl-C while Codex still starts ends ask with 130", async (t) => {
  const { environment } = await prepareCommand(t);
  const ask = new CommandProcess(t, { ...environment, CODEX_NATIVE_API_LOG_LEVEL: "debug" }, [
    "ask",
    "Hello?",
  ]);
  await new Promise<void>((resolve) => ask.child.stderr?.once("data", () => resolve()));
  ask.child.kill("SIGINT");
  t.match(await ask.ended, { code: 130, stdout: "" });
});

t.test("a reader that goes away ends ask", async (t) => {
  const { environment, backend } = await prepareCommand(t);
  backend.setDefaultReply(text({ deltas: Array.from({ length: 200 }, () => "word "), delayMs: 20 }));
  const ask = new CommandProcess(t, environment, ["ask", "Hello?"]);
  await ask.untilPrinted(/word/);
  ask.child.stdout?.destroy();
  t.match(await ask.ended, { code: 1, stderr: "" });
});

t.test("without a login ask ends with 3, doctor with 1, and both say what to do", async (t) => {
  const { environment, userHome } = await prepareCommand(t);
  await logout(userHome);
  t.match(await runCommandProcess(t, environment, ["ask", "Hello?"]), {
    code: 3,
    stdout: "",
    stderr: /login.*\(native_login_required\)/,
  });
  const { code, stdout } = await runCommandProcess(t, environment, ["doctor"]);
  t.equal(code, 1);
  t.match(stdout, /^fail {2}login {10}nobody is logged in\n {21}do: codex-native-api login$/m);
  t.match(stdout, /^it does not work yet$/m);
});

t.test("health, models, ask and doctor find the running service by the same configuration", async (t) => {
  const { environment, root } = await prepareCommand(t);
  const serve = new ServeProcess(t, environment);
  const url = new URL(String((await serve.waitFor("service.listening")).url));
  await serve.waitFor("codex.ready");
  const { pid } = await serve.waitFor("app_server.started");
  const env = {
    ...environment,
    CODEX_NATIVE_API_PORT: url.port,
    CODEX_NATIVE_API_STATE_DIR: join(root, "elsewhere"),
  };
  t.match(await runCommandProcess(t, env, ["health"]), {
    code: 0,
    stdout: /^(?:ok|degraded): .*\n(?:.*\n)?codex: \d.*logged in as/,
  });
  t.match(await runCommandProcess(t, env, ["models"]), { code: 0, stdout: /^\* \S+/m });
  t.match(await runCommandProcess(t, env, ["ask", "Hello?"]), { code: 0, stdout: /\S/ });
  const { code, stdout } = await runCommandProcess(t, env, ["doctor", "--json"]);
  t.equal(code, 0);
  const report: { findings: { check: string; found: string }[] } = JSON.parse(stdout);
  const found = new Map(report.findings.map((finding) => [finding.check, finding.found]));
  t.match(found.get("port"), /the service runs at/);
  t.match(found.get("handshake"), /the running service is connected to the app-server/);
  await t.rejects(stat(join(root, "elsewhere")), { code: "ENOENT" }, "no Codex of their own was started");
  t.equal(serve.lines.filter(({ event }) => event === "app_server.started").length, 1, String(pid));
});

t.test("doctor --turn asks each listed model for one word, with a service and without one", async (t) => {
  const { backend, environment } = await prepareCommand(t);
  const serve = new ServeProcess(t, environment);
  const url = new URL(String((await serve.waitFor("service.listening")).url));
  await serve.waitFor("codex.ready");
  for (const port of ["0", url.port]) {
    const asked = backend.requests.length;
    const env = { ...environment, CODEX_NATIVE_API_PORT: port };
    const { code, stdout } = await runCommandProcess(t, env, ["doctor", "--turn"]);
    t.equal(code, 0);
    const models = new Set(backend.requests.slice(asked).map((request) => request.body.model));
    t.ok(models.size > 1, [...models].join(", "));
    for (const model of models) {
      const line = `^ok +turn ${model} *answered in the lean(?:_lite)? form, first word after \\d+ ms, \\d+ tokens in and \\d+ out$`;
      t.match(stdout, new RegExp(line, "m"));
    }
  }
});

t.test("doctor finds all in place, shakes hands, and asks no model", async (t) => {
  const { environment, backend } = await prepareCommand(t);
  const { code, stdout, stderr } = await runCommandProcess(t, environment, ["doctor"]);
  t.equal(stderr, "");
  t.equal(code, 0);
  for (const line of [
    /^ok {4}configuration {2}\d settings given; no token/m,
    /^(ok {2}|warn) {2}codex {10}\d+\.\d+\.\d+, .*\((the installed package's|as configured)\)$/m,
    /^ok {4}state {10}.*will be made at the first start$/m,
    /^ok {4}port {11}the system picks/m,
    /^ok {4}handshake {6}the app-server of Codex \d+\.\d+\.\d+ answered$/m,
    /^ok {4}login {10}logged in as offline@example\.test, plan pro$/m,
    /^ok {4}plan {11}.* window: \d+ % used/m,
  ])
    t.match(stdout, line);
  t.equal(backend.counters.modelRequests, 0);
});

t.test(
  "login by device code writes the login where Codex keeps it, and a running service takes it",
  offlineDeviceLogin,
  async (t) => {
    const { environment, backend, userHome } = await prepareCommand(t);
    await logout(userHome);
    const serve = new ServeProcess(t, environment);
    await serve.waitFor("codex.login_required");
    const login = new CommandProcess(t, environment, ["login"]);
    const [shown] = await login.untilPrinted(/^ {2}(http:\S+)\n {2}(\S+)$/m);
    t.match(shown, `${backend.origin}/codex/device`);
    t.match(shown, backend.deviceLogins.userCode);
    const identity = {
      email: "ada@example.test",
      accountId: "acct-ada",
      planType: "plus",
      userId: "user-ada",
    };
    backend.deviceLogins.approve(identity);
    t.match(await login.ended, {
      code: 0,
      stdout: /^logged in as ada@example\.test, plan plus$/m,
      stderr: "",
    });
    t.match(JSON.parse(await readFile(join(userHome, "auth.json"), "utf8")), {
      tokens: { account_id: "acct-ada" },
    });
    t.match(await serve.waitFor("codex.ready"), { account: "ada@example.test" });
  },
);

t.test("Ctrl-C cancels a login and changes nothing", offlineDeviceLogin, async (t) => {
  const { environment, userHome } = await prepareCommand(t);
  const before = await readFile(join(userHome, "auth.json"), "utf8");
  const login = new CommandProcess(t, environment, ["login"]);
  await login.untilPrinted(/Ctrl-C cancels/);
  login.child.kill("SIGINT");
  t.match(await login.ended, { code: 130, stderr: /cancelled/ });
  t.equal(await readFile(join(userHome, "auth.json"), "utf8"), before);
});

t.test("a login that is denied says so and ends with 1", offlineDeviceLogin, async (t) => {
  const { environment, backend } = await prepareCommand(t);
  backend.deviceLogins.deny();
  t.match(await runCommandProcess(t, environment, ["login"]), { code: 1, stderr: /Codex says: / });
});
