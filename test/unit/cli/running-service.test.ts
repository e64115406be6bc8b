import { createServer } from "node:http";
import { createServer as createTcpServer, type Server } from "node:net";
import t, { type Test } from "tap";
import { newestTestedCodex } from "../../../src/workers/contract/codex-capabilities.js";
import { runInProcess } from "../../support/cli-context.js";
import { fakeMachine } from "../../support/fake-machine.js";
import { readyHealth } from "../../support/fake-runtime.js";
import { serveFake } from "../../support/http-fixture.js";

/** Half an hour before the window of the fake runtime's account resets. */
const wallClock = () => (1_800_000_000 - 1_800) * 1000;

async function listen(t: Test, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.address();
  return String(typeof address === "object" ? address?.port : 0);
}

async function freePort(): Promise<string> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return String(typeof address === "object" ? address?.port : 0);
}

t.test("health tells people what matters and ends with 0", async (t) => {
  const { url, port } = await serveFake(t);
  const { code, stdout, stderr } = await runInProcess(["health", "--port", String(port)], { wallClock });
  t.equal(code, 0);
  t.equal(stderr, "");
  t.equal(
    stdout,
    [
      `ok: ${url}, version 0.0.0-test`,
      `codex: ${newestTestedCodex}, logged in as user@example.com, plan plus`,
      "load: 0 running, 0 waiting, 1 of 1 workers ready",
      "5 h window: 12 % used, resets in 30 min",
      "",
    ].join("\n"),
  );
});

t.test("health is coloured on a terminal, unless NO_COLOR says no", async (t) => {
  const { port } = await serveFake(t);
  const texts: string[] = [];
  const stdout = { isTTY: true, write: (text: string) => texts.push(text) };
  await runInProcess(["health", "--port", String(port)], { stdout });
  await runInProcess(["health", "--port", String(port)], { stdout, env: { NO_COLOR: "1" } });
  t.ok(texts[0]?.startsWith("\u001b[32mok\u001b[0m: "));
  t.match(texts[1], /^ok: /);
});

t.test("health --json is the body of the route", async (t) => {
  const { port } = await serveFake(t);
  const { code, stdout } = await runInProcess(["health", "--json", "--port", String(port)]);
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { object: "health.check", status: "ok", native_runtime: { ready: true } });
});

t.test("health ends with 3 while Codex cannot run turns, and says why", async (t) => {
  const { port, runtime } = await serveFake(t);
  runtime.currentHealth = {
    ...readyHealth,
    account: null,
    readiness: { ready: false, error: { code: "native_login_required", message: "Run `codex login`." } },
  };
  const { code, stdout } = await runInProcess(["health", "--port", String(port)]);
  t.equal(code, 3);
  t.match(stdout, /^unavailable: /);
  t.match(stdout, /^why: Run `codex login`\. \(native_login_required\)$/m);
  t.match(stdout, /not logged in/);
});

t.test("health says that nothing listens, and what to do", async (t) => {
  const { code, stdout, stderr } = await runInProcess(["health", "--port", await freePort()]);
  t.equal(code, 3);
  t.equal(stdout, "");
  t.match(
    stderr,
    /^codex-native-api: no service at http:\/\/127\.0\.0\.1:\d+: nothing listens there; start one/,
  );
});

t.test("health says that another program has the port", async (t) => {
  const stranger = createServer((_request, response) => response.end("hello"));
  const port = await listen(t, stranger);
  t.match(await runInProcess(["health", "--port", port]), { code: 3, stderr: /another program answers at/ });
});

t.test("health gives up on what does not answer", async (t) => {
  const port = await listen(
    t,
    createTcpServer((socket) => t.teardown(() => socket.destroy())),
  );
  const argv = ["health", "--timeout-ms", "50", "--port", port];
  t.match(await runInProcess(argv), { code: 3, stderr: /no answer within 50 ms/ });
});

t.test("health cannot guess a port that the service picks by itself", async (t) => {
  t.match(await runInProcess(["health", "--port", "0"]), { code: 2, stderr: /name the port that it logged/ });
});

t.test(
  "the token of the configuration is sent, and a wrong one is told from a missing service",
  async (t) => {
    const authToken = "a-token-of-the-service";
    const { port } = await serveFake(t, { authToken });
    const argv = ["health", "--port", String(port)];
    const env = { CODEX_NATIVE_API_AUTH_TOKEN: authToken };
    t.equal((await runInProcess(argv, { env })).code, 0);
    for (const wrong of [{}, { CODEX_NATIVE_API_AUTH_TOKEN: "another-token-of-ours" }]) {
      const { code, stderr } = await runInProcess(argv, { env: wrong });
      t.equal(code, 2);
      t.match(stderr, /does not take the token given/);
      t.notMatch(stderr, /another-token/);
    }
  },
);

t.test("where only named tokens are set, commands say that they have none to send", async (t) => {
  const { port } = await serveFake(t, { authToken: "a-token-of-the-service" });
  const tokens = [{ name: "ci", token: "a-token-for-the-ci-job" }];
  const machine = fakeMachine({ "/srv/app/c.json": JSON.stringify({ auth: { tokens } }) });
  const argv = ["health", "--config", "c.json", "--port", String(port)];
  t.match(await runInProcess(argv, { machine }), { code: 2, stderr: /named tokens only.*set auth\.token/ });
});

t.test("models lists ids and efforts, the default marked", async (t) => {
  const { port } = await serveFake(t);
  const { code, stdout } = await runInProcess(["models", "--port", String(port)]);
  t.equal(code, 0);
  t.equal(stdout, "* gpt-fake       low [medium] high\n  gpt-fake-mini  low [medium] high\n");
});

t.test("models tells of an alias what it stands for", async (t) => {
  const { port, runtime } = await serveFake(t);
  const alias = {
    name: "fast",
    model: "gpt-fake-mini",
    effort: "low",
    serviceTier: "priority",
    problem: null,
  };
  runtime.currentHealth = { ...readyHealth, aliases: [alias] };
  const { stdout } = await runInProcess(["models", "--port", String(port)]);
  t.match(stdout, /^ {2}fast {11}= gpt-fake-mini low priority$/m);
});

t.test("models --json is the body of the route", async (t) => {
  const { port } = await serveFake(t);
  const { stdout } = await runInProcess(["models", "--json", "--port", String(port)]);
  t.match(JSON.parse(stdout), { object: "list", data: [{ id: "gpt-fake" }, { id: "gpt-fake-mini" }] });
});
