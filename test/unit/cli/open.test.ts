import t from "tap";
import type { CliContext, ProgramEnd } from "../../../src/main/cli/cli-context.js";
import { runInProcess } from "../../support/cli-context.js";
import { fakeMachine } from "../../support/fake-machine.js";
import { call, type HttpFixture, serveFake } from "../../support/http-fixture.js";

const token = "a-token-of-the-service";
const env = { DISPLAY: ":0", CODEX_NATIVE_API_AUTH_TOKEN: token };

/** Runs the command with a browser that a test looks at. */
async function runOpen(
  { port }: Pick<HttpFixture, "port">,
  overrides: Partial<CliContext> = {},
  { flags = [], end = { outcome: "exited", code: 0 } }: { flags?: readonly string[]; end?: ProgramEnd } = {},
) {
  const started: (readonly string[])[] = [];
  const run = await runInProcess(["open", "--port", String(port), ...flags], {
    env,
    startProgram: async (command, args) => {
      started.push([command, ...args]);
      return end;
    },
    ...overrides,
  });
  return { ...run, started };
}

async function exchange(fixture: HttpFixture, address = "") {
  const [, code = ""] = address.split("#code=");
  return (await call(fixture, "/v1/page/tokens", { body: { code: code.trim() } })).json();
}

t.test("open hands the browser a code for the token, and never the token", async (t) => {
  const fixture = await serveFake(t, { authToken: token });
  const { code, stdout, stderr, started } = await runOpen(fixture);
  t.match({ code, stderr, stdout }, { code: 0, stderr: "", stdout: `opened ${fixture.url}/\n` });
  const [[command, address] = []] = started;
  t.equal(command, "xdg-open");
  t.ok(address?.startsWith(`${fixture.url}/#code=`));
  t.notOk(address?.includes(token));
  t.strictSame(await exchange(fixture, address), { object: "page_token", token });
});

t.test("each system has its own way to open an address", async (t) => {
  const fixture = await serveFake(t, { authToken: token });
  for (const [platform, command] of [
    ["darwin", ["open"]],
    ["win32", ["cmd", "/c", "start", ""]],
    ["freebsd", ["xdg-open"]],
  ] as const) {
    const { started } = await runOpen(fixture, { machine: { ...fakeMachine(), platform } });
    t.strictSame(started[0]?.slice(0, -1), command);
  }
});

t.test("open --print prints the address alone, and starts nothing", async (t) => {
  const fixture = await serveFake(t, { authToken: token });
  const { code, stdout, stderr, started } = await runOpen(fixture, {}, { flags: ["--print"] });
  t.equal(code, 0);
  t.strictSame(started, []);
  t.match(stderr, /works once, within 60 seconds/);
  t.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\/#code=[\w-]+\n$/);
  t.match(await exchange(fixture, stdout), { token });
});

t.test("over SSH and without a display the address is printed, with the reason", async (t) => {
  const fixture = await serveFake(t, { authToken: token });
  for (const [changes, reason] of [
    [{ SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22" }, /over SSH/],
    [{ DISPLAY: "" }, /no display/],
  ] as const) {
    const { code, stdout, stderr, started } = await runOpen(fixture, { env: { ...env, ...changes } });
    t.equal(code, 0);
    t.strictSame(started, []);
    t.match(stderr, reason);
    t.match(stdout, /#code=/);
  }
});

t.test("where no browser can be started the address is printed", async (t) => {
  const fixture = await serveFake(t, { authToken: token });
  for (const [end, reason] of [
    [{ outcome: "not_started", errorCode: "ENOENT" }, /xdg-open could not be started \(ENOENT\)/],
    [{ outcome: "exited", code: 3 }, /xdg-open found no browser \(exit code 3\)/],
  ] as const) {
    const { code, stdout, stderr } = await runOpen(fixture, {}, { end });
    t.equal(code, 0);
    t.match(stderr, reason);
    t.match(await exchange(fixture, stdout), { token });
  }
});

t.test("open works without a token where none is set", async (t) => {
  const fixture = await serveFake(t);
  const { stdout } = await runOpen(fixture, { env: {} }, { flags: ["--print"] });
  t.match(await exchange(fixture, stdout), { token: null });
});

t.test("a wrong token and a missing service are told apart", async (t) => {
  const fixture = await serveFake(t, { authToken: token });
  const wrong = await runOpen(fixture, { env: { ...env, CODEX_NATIVE_API_AUTH_TOKEN: "another-of-ours" } });
  t.match(wrong, { code: 2, stdout: "", stderr: /does not take the token given/, started: [] });
  await fixture.server.close({ graceMs: 0 });
  t.match(await runOpen(fixture), { code: 3, stdout: "", stderr: /no service at .*nothing listens there/ });
});
