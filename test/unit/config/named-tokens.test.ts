import t from "tap";
import { describeConfig } from "../../../src/main/config/inspect-config.js";
import { loadConfig } from "../../../src/main/config/load-config.js";
import { digestToken } from "../../../src/main/config/named-token.js";
import { type FakeFiles, fakeMachine } from "../../support/fake-machine.js";

const configFile = "/etc/api.json";
const adasToken = "adas-token-123456";
const bobsToken = "bobs-token-123456";

function load(tokens: unknown, files: FakeFiles = {}, env: Record<string, string> = {}) {
  const machine = fakeMachine({ [configFile]: JSON.stringify({ auth: { tokens } }), ...files });
  return loadConfig({ argv: ["--config", configFile], env, machine });
}

function loadFaults(...given: Parameters<typeof load>): readonly string[] {
  const loaded = load(...given);
  return loaded.ok ? [] : loaded.faults.map(({ source, problem }) => `${source}: ${problem}`);
}

t.test("named tokens come as a text, a file or a digest, and only digests are kept", async (t) => {
  const entries = [
    { name: "ada", token: adasToken },
    { name: "bob", tokenFile: "bob.token", models: ["m-1", "m-2"], maxConcurrentTurns: 4 },
    { name: "eve", sha256: digestToken("eves-token-123456").toUpperCase(), disabled: true },
  ];
  const loaded = load(entries, { "/etc/bob.token": `${bobsToken}\n` });
  t.ok(loaded.ok);
  if (!loaded.ok) return;
  const open = { models: null, maxConcurrentTurns: null, priority: "interactive" as const, disabled: false };
  t.strictSame(loaded.config.auth.tokens, [
    { ...open, name: "ada", sha256: digestToken(adasToken) },
    { ...open, name: "bob", sha256: digestToken(bobsToken), models: ["m-1", "m-2"], maxConcurrentTurns: 4 },
    { ...open, name: "eve", sha256: digestToken("eves-token-123456"), disabled: true },
  ]);
  t.notMatch(JSON.stringify(loaded.config), /-token-/);
  const shown = describeConfig(loaded.config, loaded.origins).find(({ key }) => key === "auth.tokens");
  t.equal(shown?.value, '["ada","bob","eve"]');
});

t.test("a tokens file adds to those of the config file, with paths of its own", async (t) => {
  const files = {
    "/run/tokens.json": JSON.stringify([{ name: "bob", tokenFile: "bob.token" }]),
    "/run/bob.token": bobsToken,
  };
  const env = { CODEX_NATIVE_API_AUTH_TOKENS_FILE: "/run/tokens.json" };
  const loaded = load([{ name: "ada", token: adasToken }], files, env);
  t.match(loaded, { ok: true, config: { auth: { tokens: [{ name: "ada" }, { name: "bob" }] } } });
});

t.test("every fault of a list is named with its place, and no value is shown", async (t) => {
  const entries = [
    { name: "a b", token: adasToken },
    { token: bobsToken },
    { name: "c", token: "short" },
    { name: "d", token: adasToken, modles: ["x"], maxConcurrentTurns: 0 },
    "hush-hush-hush-hush",
  ];
  const faults = loadFaults(entries);
  t.match(faults, [
    /^auth\.tokens\[0\]\.name in \/etc\/api\.json: is not allowed; it takes a name of letters/,
    /^auth\.tokens\[1\]\.name in \/etc\/api\.json: is missing; it takes a name/,
    /^auth\.tokens\[2\]\.token in .*: is not allowed; it takes visible ASCII characters without spaces, at least 16$/,
    /^auth\.tokens\[3\]\.maxConcurrentTurns in .*: is not allowed; it takes an integer from 1 to 100000$/,
    /^auth\.tokens\[3\]\.modles in .*: there is no such key; did you mean models\?$/,
    /^auth\.tokens\[4\] in .*: is not allowed; it takes an object with name/,
  ]);
  t.equal(faults.length, 6);
  t.notMatch(faults.join(), /hush|short|-token-/);
});

t.test("a token is given in one way, and once", async (t) => {
  t.match(loadFaults([{ name: "ada" }, { name: "bob", token: bobsToken, sha256: digestToken(bobsToken) }]), [
    /^auth\.tokens\[0\] in .*: needs exactly one of token, tokenFile and sha256$/,
    /^auth\.tokens\[1\] in .*: needs exactly one of/,
  ]);
  t.match(
    loadFaults([
      { name: "ada", token: adasToken },
      { name: "ada", token: bobsToken },
    ]),
    [/^auth\.tokens\[1\] in .*: there is another token "ada"$/],
  );
  t.match(
    loadFaults([
      { name: "ada", token: adasToken },
      { name: "bob", token: adasToken },
    ]),
    [/^auth\.tokens\[1\] in .*: is the same token as "ada"$/],
  );
  t.match(loadFaults([{ name: "default", token: adasToken }]), [
    /is the name of auth\.token; choose another$/,
  ]);
  const env = { CODEX_NATIVE_API_AUTH_TOKEN: adasToken };
  t.match(loadFaults([{ name: "ada", token: adasToken }], {}, env), [
    /"ada": is the same token as auth\.token/,
  ]);
});

t.test("a tokens file that others may read, that is no list, or that is not there is refused", async (t) => {
  const env = { CODEX_NATIVE_API_AUTH_TOKENS_FILE: "/run/tokens.json" };
  const faultsOf = (file: FakeFiles[string] | undefined) =>
    loadFaults([], file === undefined ? {} : { "/run/tokens.json": file }, env);
  t.match(faultsOf(undefined), [/there is no file \/run\/tokens\.json/]);
  t.match(faultsOf({ kind: "text", text: "[]", isPrivate: false }), [/others may read or write/]);
  t.match(faultsOf("{"), [/is not JSON/]);
  t.match(faultsOf("{}"), [/^\/run\/tokens\.json: is not allowed; it takes a list of at most 1000 tokens$/]);
  t.match(faultsOf('[{"name": 5}]'), [/^\[0\]\.name in \/run\/tokens\.json: is not allowed/]);
});

t.test("a short token in a named token's file, or a file that others may read, is refused", async (t) => {
  const entries = [{ name: "bob", tokenFile: "bob.token" }];
  t.match(loadFaults(entries, { "/etc/bob.token": "short" }), [
    /^auth\.tokens\[0\]\.tokenFile in .*: .* holds a token of 5 characters; it takes at least 16$/,
  ]);
  t.match(loadFaults(entries, { "/etc/bob.token": { kind: "text", text: bobsToken, isPrivate: false } }), [
    /others may read or write/,
  ]);
});

t.test(
  "a config file with tokens must be private, and one that anyone may write is never read",
  async (t) => {
    const text = JSON.stringify({ auth: { tokens: [{ name: "ada", token: adasToken }] } });
    const faultsOf = (file: FakeFiles[string]) => loadFaults([], { [configFile]: file });
    t.match(faultsOf({ kind: "text", text, isPrivate: false }), [
      /is a secret in a file that others may read/,
    ]);
    t.match(faultsOf({ kind: "text", text: "{}", isPrivate: false, isOpen: true }), [/anyone may write/]);
  },
);

t.test("a named token is enough to listen beyond loopback, beside no short one", async (t) => {
  const entries = [{ name: "ada", token: adasToken }];
  const env = { CODEX_NATIVE_API_HOST: "0.0.0.0" };
  t.match(load(entries, {}, env), { ok: true });
  t.match(loadFaults(entries, {}, { ...env, CODEX_NATIVE_API_AUTH_TOKEN: "short" }), [
    /the token has 5 characters/,
  ]);
});
