import t from "tap";
import { type ConfigSources, loadConfig } from "../../../src/main/config/load-config.js";
import { fakeMachine } from "../../support/fake-machine.js";

const api = "CODEX_NATIVE_API_";

function load(env: ConfigSources["env"], argv: readonly string[] = []) {
  return loadConfig({ argv, env, machine: fakeMachine() });
}

function loadValid(env: ConfigSources["env"], argv: readonly string[] = []) {
  const loaded = load(env, argv);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded;
}

function faultsOf(env: ConfigSources["env"]): readonly string[] {
  const loaded = load(env);
  return loaded.ok ? [] : loaded.faults.map(({ source, problem }) => `${source}: ${problem}`);
}

function warningsOf(env: ConfigSources["env"]): readonly string[] {
  return loadValid(env).warnings.map(({ source, problem }) => `${source}: ${problem}`);
}

t.test("CODEX_REAL_BIN names the binary, unless the service's own variable or a flag does", async (t) => {
  const env = { CODEX_REAL_BIN: "/opt/codex/bin/codex" };
  const { config, origins, warnings } = loadValid(env);
  t.equal(config.codex.bin, "/opt/codex/bin/codex");
  t.strictSame(origins.get("codex.bin"), { layer: "environment", name: "CODEX_REAL_BIN" });
  t.strictSame(warnings, []);
  t.equal(loadValid({ ...env, [`${api}CODEX_BIN`]: "codex" }).config.codex.bin, "codex");
  t.equal(loadValid({ ...env, [`${api}CODEX_BIN`]: "" }).config.codex.bin, "/opt/codex/bin/codex");
  t.equal(loadValid(env, ["--codex-bin", "/bin/other"]).config.codex.bin, "/bin/other");
  t.equal(loadValid({ CODEX_REAL_BIN: "" }).config.codex.bin, null);
});

t.test("the folder of an auth.json is the Codex home", async (t) => {
  const homeOf = (path: string) => loadValid({ [`${api}AUTH_PATH`]: path }).config.codex.userHome;
  t.equal(homeOf("/data/codex/auth.json"), "/data/codex");
  t.equal(homeOf("~/work/auth.json"), "/home/ada/work");
  t.equal(homeOf("login/auth.json"), "/srv/app/login");
  t.equal(homeOf("auth.json"), "/srv/app");
  t.equal(homeOf(""), "/home/ada/.codex");
});

t.test("another name of the login is refused, so that no turn runs on another account", async (t) => {
  for (const path of ["/data/login.json", "/data/auth.json.bak", "/data/my-auth.json", "/data"]) {
    t.strictSame(faultsOf({ [`${api}AUTH_PATH`]: path }), [
      `${api}AUTH_PATH: ${JSON.stringify(path)} is not allowed; it takes the path of an auth.json, whose folder is then CODEX_HOME`,
    ]);
  }
});

t.test("CODEX_HOME wins over the path of a login, and a warning says so where they differ", async (t) => {
  const env = { CODEX_HOME: "/data/one", [`${api}AUTH_PATH`]: "/data/two/auth.json" };
  t.equal(loadValid(env).config.codex.userHome, "/data/one");
  t.match(warningsOf(env), [/^CODEX_NATIVE_API_AUTH_PATH: has no effect: CODEX_HOME is set too/]);
  t.strictSame(warningsOf({ ...env, CODEX_HOME: "/data/two" }), []);
});

t.test("variables without effect are named in one warning, and change nothing", async (t) => {
  const inert = {
    [`${api}TITLE_PREFIX`]: "Bridge",
    [`${api}PROVIDER_PROFILE`]: "openai-default",
    [`${api}PROVIDER_PROFILE_ID`]: "openai-default",
    [`${api}DEFAULT_CWD`]: "/srv",
    [`${api}PUBLIC`]: "1",
    [`${api}RESTART_SEC`]: "2",
    [`${api}DEBUG`]: "1",
  };
  t.strictSame(loadValid(inert).config, loadValid({}).config);
  const [warning, ...more] = warningsOf(inert);
  t.strictSame(more, []);
  for (const name of Object.keys(inert)) t.ok(warning?.includes(name), name);
  const empty = Object.fromEntries(Object.keys(inert).map((name) => [name, ""]));
  t.strictSame(warningsOf(empty), []);
});

t.test("the public variable never moves the listener, whatever it says", async (t) => {
  for (const value of ["1", "true", "0", "0.0.0.0", "perhaps"]) {
    t.equal(loadValid({ [`${api}PUBLIC`]: value }).config.listen.host, "127.0.0.1", value);
    t.match(warningsOf({ [`${api}PUBLIC`]: value }), [/PUBLIC: has no effect; only CODEX_NATIVE_API_HOST/]);
  }
});

t.test("yes and no are read in every form and any case", async (t) => {
  const enabled = (text: string) => loadValid({ [`${api}ENABLE`]: text }).config.enabled;
  for (const text of ["1", "true", "TRUE", "on", "On", "yes", "YES", "y", "Y"])
    t.equal(enabled(text), true, text);
  for (const text of ["0", "false", "False", "off", "OFF", "no", "nO", "n", "N"])
    t.equal(enabled(text), false, text);
  t.equal(enabled(""), true);
  for (const text of ["2", "ja", "enabled", "tru"]) {
    t.match(faultsOf({ [`${api}ENABLE`]: text }), [/it takes 1 or 0, also as true or false, on or off, yes/]);
  }
});

t.test("a mistyped variable gets its suggestion, an empty one counts as not set", async (t) => {
  const suggestionOf = (name: string) => /did you mean (\S+)\?/.exec(faultsOf({ [name]: "x" })[0] ?? "")?.[1];
  t.equal(suggestionOf(`${api}TOKEN`), `${api}AUTH_TOKEN`);
  t.equal(suggestionOf(`${api}MODEL`), `${api}DEFAULT_MODEL`);
  t.equal(suggestionOf(`${api}PROT`), `${api}PORT`);
  t.equal(suggestionOf(`${api}FALLBACK_MODLE`), `${api}FALLBACK_MODEL`);
  t.equal(suggestionOf(`${api}ZZZZ`), undefined);
  t.strictSame(faultsOf({ [`${api}TOKEN`]: "" }), []);
});
