import t from "tap";
import { describeConfig } from "../../../src/main/config/inspect-config.js";
import { loadConfig } from "../../../src/main/config/load-config.js";
import { fakeMachine } from "../../support/fake-machine.js";

function describe(env: Record<string, string>, argv: readonly string[] = [], files = {}) {
  const loaded = loadConfig({ argv, env, machine: fakeMachine(files) });
  if (!loaded.ok) throw new Error("the configuration has faults");
  return new Map(describeConfig(loaded.config, loaded.origins).map((row) => [row.key, row]));
}

t.test("each row tells the value in force and where it came from", async (t) => {
  const rows = describe({ CODEX_NATIVE_API_PORT: "0" });
  t.match(rows.get("listen.port"), {
    value: "0",
    origin: { layer: "environment", name: "CODEX_NATIVE_API_PORT" },
  });
  t.match(rows.get("workers"), { value: "3", origin: { layer: "default" } });
});

t.test("a token is said to be set and not shown", async (t) => {
  const row = describe({ CODEX_NATIVE_API_AUTH_TOKEN: "hush-hush" }).get("auth.token");
  t.equal(row?.value, "(set, not shown)");
  t.equal(describe({}).get("auth.token")?.value, "null");
});

t.test("a token from a file is traced to whoever named the file", async (t) => {
  const rows = describe({}, ["--auth-token-file", "/run/token"], { "/run/token": "hush-hush" });
  t.match(rows.get("auth.token"), { value: "(set, not shown)", origin: { name: "--auth-token-file" } });
});

t.test("codex settings show their keys alone, since a value may be a provider's key", async (t) => {
  const rows = describe({}, ["--codex-config", "model_providers.own.key=sk-hush"]);
  t.equal(rows.get("codex.config")?.value, '["model_providers.own.key=…"]');
});
