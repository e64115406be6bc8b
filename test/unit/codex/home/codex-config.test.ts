import { parse, type TomlTable } from "smol-toml";
import t from "tap";
import {
  applyOverride,
  carryOverConfig,
  readMcpServerNames,
  readModelProvider,
  readProviderEnvironmentKeys,
} from "../../../../src/main/codex/home/codex-config.js";

t.test("only keys that decide backend and login are copied", async (t) => {
  const user = parse(`
model = "gpt-x"
model_provider = "corp"
openai_base_url = "http://a"
chatgpt_base_url = "http://b"
cli_auth_credentials_store = "file"
forced_login_method = "chatgpt"
forced_chatgpt_workspace_id = "w"
notify = ["beep"]
model_instructions_file = "/x"
[features]
respect_system_proxy = true
web_search = true
[mcp_servers.files]
command = "files"
[hooks]
x = 1
[model_providers.corp]
name = "corp"
base_url = "http://c"
`);
  t.same(carryOverConfig(user, "/user"), {
    model_provider: "corp",
    model_providers: { corp: { name: "corp", base_url: "http://c" } },
    openai_base_url: "http://a",
    chatgpt_base_url: "http://b",
    cli_auth_credentials_store: "file",
    forced_login_method: "chatgpt",
    forced_chatgpt_workspace_id: "w",
    features: { respect_system_proxy: true },
  });
});

t.test("a relative directory of a provider's login command stays relative to the user's home", async (t) => {
  const user = parse('[model_providers.corp.auth]\ncommand = "token"\ncwd = "bin"');
  t.match(carryOverConfig(user, "/user"), { model_providers: { corp: { auth: { cwd: "/user/bin" } } } });
  t.match(user, { model_providers: { corp: { auth: { cwd: "bin" } } } }, "the user's table is unchanged");
});

t.test("the provider of a chosen profile of the older kind wins", async (t) => {
  const user = parse(
    'model_provider = "a"\nprofile = "work"\n[profiles.work]\nmodel_provider = "b"\nmodel = "m"',
  );
  t.same(carryOverConfig(user, "/user"), { model_provider: "b" });
});

t.test("overrides take a dotted key and a value that is TOML or plain text", async (t) => {
  const config: TomlTable = { features: { a: true }, flat: 1 };
  applyOverride(config, "features.b", "false");
  applyOverride(config, "model", "gpt-x");
  applyOverride(config, "quoted", '"text"');
  applyOverride(config, "list", "[1, 2]");
  applyOverride(config, "flat.deep", "1.5");
  t.same(config, {
    features: { a: true, b: false },
    model: "gpt-x",
    quoted: "text",
    list: [1, 2],
    flat: { deep: 1.5 },
  });
});

t.test("the provider profile is Codex's default when none is named", async (t) => {
  t.equal(readModelProvider({}), "openai");
  t.equal(readModelProvider({ model_provider: "corp" }), "corp");
});

t.test("variables that providers read are found by the provider's fields", async (t) => {
  const config = parse(`
model_provider = "ollama"
[model_providers.a]
env_key = "A_KEY"
[model_providers.b]
env_http_headers = { "x-team" = "TEAM" }
[model_providers.c]
aws = { region = "eu" }
`);
  const keys = readProviderEnvironmentKeys(config);
  for (const key of ["A_KEY", "TEAM", "CODEX_OSS_BASE_URL", "AWS_PROFILE"]) t.ok(keys.includes(key), key);
});

t.test("MCP servers are split by whether a dotted key can name them", async (t) => {
  const config = parse('[mcp_servers.files]\ncommand = "x"\n[mcp_servers."a.b"]\ncommand = "y"');
  t.same(readMcpServerNames(config), { addressable: ["files"], others: ["a.b"] });
});
