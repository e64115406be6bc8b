import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { loadConfig } from "../../../src/main/config/load-config.js";
import { isPrivateMode, readMachine } from "../../../src/main/config/machine.js";
import { fakeMachine } from "../../support/fake-machine.js";

const strongToken = "0123456789abcdef";

function load(env: Record<string, string>, argv: readonly string[] = [], machine = fakeMachine()) {
  const loaded = loadConfig({ argv, env, machine });
  return loaded.ok ? loaded.config : loaded.faults.map(({ source, problem }) => `${source}: ${problem}`);
}

t.test("beyond loopback a listener needs a token of at least 16 characters", async (t) => {
  const advice =
    "set CODEX_NATIVE_API_AUTH_TOKEN_FILE to a file with a token of at least 16 characters, or bind 127.0.0.1";
  t.strictSame(load({ CODEX_NATIVE_API_HOST: "0.0.0.0" }), [
    `CODEX_NATIVE_API_HOST: "0.0.0.0" is reachable from other machines and there is no token; ${advice}`,
  ]);
  t.strictSame(load({ CODEX_NATIVE_API_AUTH_TOKEN: "short" }, ["--host", "box.lan"]), [
    `--host: "box.lan" is reachable from other machines and the token has 5 characters; ${advice}`,
  ]);
  t.match(load({ CODEX_NATIVE_API_HOST: "[::]", CODEX_NATIVE_API_AUTH_TOKEN: strongToken }), {
    listen: { host: "::" },
    auth: { token: strongToken },
  });
});

t.test("every loopback name may listen without a token", async (t) => {
  for (const host of ["127.0.0.1", "127.8.0.1", "localhost", "LOCALHOST", "::1", "[::1]"]) {
    t.match(load({ CODEX_NATIVE_API_HOST: host }), { auth: { token: null } }, host);
  }
});

t.test("a name that only begins like loopback is not loopback", async (t) => {
  for (const host of ["127.evil.example", "localhost.example", "::2"]) {
    t.match(load({ CODEX_NATIVE_API_HOST: host }), [/reachable from other machines/], host);
  }
});

t.test("a token with spaces is refused and not shown", async (t) => {
  t.strictSame(load({ CODEX_NATIVE_API_AUTH_TOKEN: "hush hush" }), [
    "CODEX_NATIVE_API_AUTH_TOKEN: the value given (not shown) is not allowed; it takes visible ASCII characters without spaces",
  ]);
});

t.test("a token file is read and its last line break dropped", async (t) => {
  const machine = fakeMachine({ "/run/token": `${strongToken}\n` });
  t.match(load({ CODEX_NATIVE_API_AUTH_TOKEN_FILE: "/run/token" }, [], machine), {
    auth: { token: strongToken },
  });
});

t.test("a token file that is missing, unreadable, empty or more than a token is refused", async (t) => {
  const refusalOf = (file: Parameters<typeof fakeMachine>[0]) =>
    load({}, ["--auth-token-file", "/run/token"], fakeMachine(file));
  t.strictSame(refusalOf({}), ["--auth-token-file: there is no file /run/token"]);
  t.strictSame(refusalOf({ "/run/token": { kind: "unreadable", reason: "EISDIR" } }), [
    "--auth-token-file: /run/token cannot be read (EISDIR)",
  ]);
  for (const text of ["", "\n", "two words", "two\nlines"]) {
    t.match(refusalOf({ "/run/token": text }), [/must hold exactly one token/]);
  }
});

t.test("a real token file wider than 0600 is refused", { skip: process.platform === "win32" }, async (t) => {
  const path = join(t.testdir(), "token");
  writeFileSync(path, strongToken);
  const loadMode = (mode: number) => {
    chmodSync(path, mode);
    return load({ CODEX_NATIVE_API_AUTH_TOKEN_FILE: path }, [], readMachine());
  };
  for (const mode of [0o644, 0o640, 0o604, 0o620, 0o610]) {
    t.match(loadMode(mode), [/others may read or write .+ \(chmod 600\)/], mode.toString(8));
  }
  for (const mode of [0o600, 0o400])
    t.match(loadMode(mode), { auth: { token: strongToken } }, mode.toString(8));
});

t.test("of a token and a token file the higher source wins", async (t) => {
  const machine = fakeMachine({ "/run/token": "from-the-file" });
  const env = { CODEX_NATIVE_API_AUTH_TOKEN: "from-the-variable" };
  t.match(load(env, ["--auth-token-file", "/run/token"], machine), { auth: { token: "from-the-file" } });
});

t.test("a token and a token file from one source contradict each other", async (t) => {
  const env = { CODEX_NATIVE_API_AUTH_TOKEN: "one", CODEX_NATIVE_API_AUTH_TOKEN_FILE: "/run/token" };
  t.strictSame(load(env, [], fakeMachine({ "/run/token": "two" })), [
    "CODEX_NATIVE_API_AUTH_TOKEN_FILE: sets the token a second time, beside CODEX_NATIVE_API_AUTH_TOKEN; keep only one",
  ]);
});

t.test("a credential of systemd's may show its access list as the group's right to read", async (t) => {
  const credential = "/run/credentials/codex-native-api.service/token";
  t.ok(isPrivateMode(credential, 0o100440));
  t.ok(isPrivateMode(credential, 0o100400));
  t.notOk(isPrivateMode(credential, 0o100444));
  t.notOk(isPrivateMode(credential, 0o100460));
  t.notOk(isPrivateMode("/etc/codex-native-api/token", 0o100440));
  t.notOk(isPrivateMode("/run/credentials/token", 0o100440));
});
