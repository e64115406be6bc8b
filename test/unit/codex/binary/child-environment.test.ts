import t from "tap";
import {
  buildChildEnvironment,
  type ChildEnvironmentOptions,
} from "../../../../src/main/codex/binary/child-environment.js";

function build(options: Partial<ChildEnvironmentOptions>): Record<string, string> {
  return buildChildEnvironment({
    parentEnv: {},
    codexHome: "/own",
    homeMode: "isolated",
    providerKeys: [],
    rustLog: null,
    ...options,
  });
}

t.test("a child gets what it needs to run and to reach the backend, and nothing else", async (t) => {
  const parentEnv = {
    PATH: "/bin",
    HOME: "/home/u",
    LANG: "C",
    LC_ALL: "C",
    https_proxy: "http://proxy",
    SSL_CERT_FILE: "/certs",
    CODEX_CA_CERTIFICATE: "/ca",
    AWS_SECRET_ACCESS_KEY: "secret",
    OPENAI_API_KEY: "secret",
    DATABASE_URL: "secret",
    RUST_LOG: "trace",
    CODEX_HOME: "/users",
    LD_PRELOAD: "/evil.so",
    UNSET: undefined,
  };
  t.same(build({ parentEnv }), {
    PATH: "/bin",
    HOME: "/home/u",
    LANG: "C",
    LC_ALL: "C",
    https_proxy: "http://proxy",
    SSL_CERT_FILE: "/certs",
    CODEX_CA_CERTIFICATE: "/ca",
    CODEX_HOME: "/own",
  });
});

t.test("a variable that a provider names is passed on", async (t) => {
  const parentEnv = { MY_KEY: "k", OTHER_KEY: "o" };
  t.same(build({ parentEnv, providerKeys: ["MY_KEY", "MISSING"] }), { MY_KEY: "k", CODEX_HOME: "/own" });
});

t.test("this service's own token is never passed on, even if a provider names it", async (t) => {
  const parentEnv = { CODEX_NATIVE_API_AUTH_TOKEN: "t", CODEXBRIDGE_INTERNAL_NATIVE_API_AUTH_TOKEN: "t" };
  t.same(build({ parentEnv, providerKeys: Object.keys(parentEnv) }), { CODEX_HOME: "/own" });
});

t.test("a provider cannot redirect the child's home", async (t) => {
  t.same(build({ parentEnv: { CODEX_HOME: "/users" }, providerKeys: ["CODEX_HOME"] }), {
    CODEX_HOME: "/own",
  });
});

t.test("variables for the keyring are passed only with the user's own home", async (t) => {
  const parentEnv = { DBUS_SESSION_BUS_ADDRESS: "unix:path=/bus" };
  t.same(build({ parentEnv }), { CODEX_HOME: "/own" });
  t.same(build({ parentEnv, homeMode: "user" }), { ...parentEnv, CODEX_HOME: "/own" });
});

t.test("Codex's log filter is set only when configured", async (t) => {
  t.same(build({ rustLog: "warn" }), { CODEX_HOME: "/own", RUST_LOG: "warn" });
});
