import { mkdir, readdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "smol-toml";
import t from "tap";
import {
  type PrepareCodexHomeOptions,
  prepareCodexHome,
} from "../../../../src/main/codex/home/codex-home.js";
import { makeDirectory, type WithTeardown } from "../fixtures.js";

async function makeOptions(
  t: WithTeardown,
  userConfig: string | null,
  options: Partial<PrepareCodexHomeOptions> = {},
): Promise<PrepareCodexHomeOptions> {
  const root = await makeDirectory(t);
  const userCodexHome = join(root, "user");
  if (userConfig !== null) {
    await mkdir(userCodexHome);
    await writeFile(join(userCodexHome, "config.toml"), userConfig);
  }
  return { mode: "isolated", userCodexHome, ownCodexHome: join(root, "own"), codexConfig: {}, ...options };
}

t.test(
  "the service's own home has the backend's settings, the service's settings and a link to the login",
  async (t) => {
    const options = await makeOptions(
      t,
      'model_provider = "corp"\nnotify = ["beep"]\n[model_providers.corp]\nname = "corp"\nenv_key = "CORP_KEY"\n',
    );
    const home = await prepareCodexHome(options);
    t.match(home, {
      mode: "isolated",
      fallbackReason: null,
      path: options.ownCodexHome,
      configArgs: [],
      environmentKeys: ["CORP_KEY"],
      modelProvider: "corp",
      authFile: join(options.userCodexHome, "auth.json"),
      authLink: "linked",
      warnings: [],
    });
    t.same(parse(await readFile(join(home.path, "config.toml"), "utf8")), {
      model_provider: "corp",
      model_providers: { corp: { name: "corp", env_key: "CORP_KEY" } },
      cli_auth_credentials_store: "file",
      suppress_unstable_features_warning: true,
      check_for_update_on_startup: false,
      analytics: { enabled: false },
      feedback: { enabled: false },
      history: { persistence: "none" },
      features: { plugins: false, remote_plugin: false, plugin_sharing: false, apps: false },
      apps: { _default: { enabled: false } },
    });
    t.equal((await stat(home.path)).mode & 0o777, 0o700);
    t.equal((await stat(join(home.path, "config.toml"))).mode & 0o777, 0o600);
    t.equal(await readlink(join(home.path, "auth.json")), home.authFile);
  },
);

t.test("a missing user home is no error", async (t) => {
  const home = await prepareCodexHome(await makeOptions(t, null));
  t.match(home, { mode: "isolated", modelProvider: "openai", environmentKeys: [] });
});

t.test("the user's configuration is read again each time", async (t) => {
  const options = await makeOptions(t, 'model_provider = "a"');
  await prepareCodexHome(options);
  await writeFile(join(options.userCodexHome, "config.toml"), 'model_provider = "b"');
  t.equal((await prepareCodexHome(options)).modelProvider, "b");
});

t.test("the operator's settings override all others", async (t) => {
  const options = await makeOptions(t, 'model_provider = "a"', {
    codexConfig: {
      model_provider: "b",
      "analytics.enabled": "true",
      "model_providers.b.base_url": "http://b",
    },
  });
  const home = await prepareCodexHome(options);
  t.equal(home.modelProvider, "b");
  t.match(parse(await readFile(join(home.path, "config.toml"), "utf8")), {
    analytics: { enabled: true },
    model_providers: { b: { base_url: "http://b" } },
  });
});

t.test("a configuration that is not TOML is an error and not skipped", async (t) => {
  const options = await makeOptions(t, "model_provider = [");
  await t.rejects(prepareCodexHome(options), {
    code: "native_runtime_unavailable",
    message: /not valid TOML/,
  });
});

t.test("with a keyring login the user's home is used, and the reason is reported", async (t) => {
  const options = await makeOptions(t, 'cli_auth_credentials_store = "keyring"');
  const home = await prepareCodexHome(options);
  t.match(home, { mode: "user", path: options.userCodexHome, authLink: null, fallbackReason: /keyring/ });
});

t.test(
  "with `auto`, the own home is used if there is a login file, else the user's for the keyring",
  async (t) => {
    const options = await makeOptions(t, 'cli_auth_credentials_store = "auto"');
    t.equal((await prepareCodexHome(options)).mode, "user");
    await writeFile(join(options.userCodexHome, "auth.json"), "{}");
    const home = await prepareCodexHome(options);
    t.equal(home.mode, "isolated");
    const config = parse(await readFile(join(home.path, "config.toml"), "utf8"));
    t.equal(
      config.cli_auth_credentials_store,
      "file",
      "otherwise a refresh would move the login to a keyring",
    );
  },
);

t.test("nothing is written to the user's home; settings are passed as arguments", async (t) => {
  const options = await makeOptions(
    t,
    'model_provider = "corp"\n[model_providers.corp]\nenv_key = "K"\n[mcp_servers.files]\ncommand = "x"\n[mcp_servers."a.b"]\ncommand = "y"\n',
    { mode: "user", codexConfig: { "features.x": "true" } },
  );
  const home = await prepareCodexHome(options);
  t.same(await readdir(options.userCodexHome), ["config.toml"]);
  t.match(home, { mode: "user", fallbackReason: null, modelProvider: "corp", environmentKeys: ["K"] });
  const settings = home.configArgs.filter((argument) => argument !== "-c");
  t.equal(settings.length * 2, home.configArgs.length);
  for (const expected of [
    "suppress_unstable_features_warning=true",
    "analytics.enabled=false",
    'history.persistence="none"',
    "notify=[]",
    "mcp_servers.files.enabled=false",
    "features.x=true",
  ])
    t.ok(settings.includes(expected), expected);
  t.match(home.warnings, [/"a.b"/]);
});

t.test("a change of CODEX_HOME changes the link's target", async (t) => {
  const options = await makeOptions(t, "");
  await prepareCodexHome(options);
  const other = { ...options, userCodexHome: join(options.userCodexHome, "..", "other") };
  t.equal((await prepareCodexHome(other)).authLink, "relinked");
});

const patience = { silenceLimitMs: 900_000, replaceBuiltIn: false, codexVersion: "0.171.0" };

async function readOwnConfig(options: PrepareCodexHomeOptions): Promise<unknown> {
  const home = await prepareCodexHome(options);
  return parse(await readFile(join(home.path, "config.toml"), "utf8"));
}

t.test(
  "the user's own provider waits for a silent model nearly as long as a turn may be silent",
  async (t) => {
    const provider = 'model_provider = "corp.ai"\n[model_providers."corp.ai"]\nname = "corp"\n';
    t.match(await readOwnConfig(await makeOptions(t, provider, { patience })), {
      model_providers: { "corp.ai": { name: "corp", stream_idle_timeout_ms: 720_000 } },
    });
    t.match(
      await readOwnConfig(await makeOptions(t, `${provider}stream_idle_timeout_ms = 5000\n`, { patience })),
      { model_providers: { "corp.ai": { stream_idle_timeout_ms: 5000 } } },
      "what the user set is kept",
    );
    const codexConfig = { "model_providers.other.stream_idle_timeout_ms": "7", model_provider: '"other"' };
    t.match(
      await readOwnConfig(await makeOptions(t, provider, { patience, codexConfig })),
      { model_providers: { other: { stream_idle_timeout_ms: 7 } } },
      "so is what the operator set",
    );
  },
);

t.test("the built-in provider is kept unless its patient copy is requested", async (t) => {
  const user = 'openai_base_url = "http://127.0.0.1:1/v1"\n';
  const plain = await readOwnConfig(await makeOptions(t, user, { patience }));
  t.match(plain, { model_provider: undefined, model_providers: undefined });
  const options = await makeOptions(t, user, { patience: { ...patience, replaceBuiltIn: true } });
  t.match(await readOwnConfig(options), {
    model_provider: "codex-native-api-openai",
    model_providers: {
      "codex-native-api-openai": {
        name: "OpenAI",
        requires_openai_auth: true,
        supports_websockets: true,
        base_url: "http://127.0.0.1:1/v1",
        http_headers: { version: "0.171.0" },
        stream_idle_timeout_ms: 720_000,
      },
    },
  });
  t.equal((await prepareCodexHome(options)).modelProvider, "openai", "the reported id is unchanged");
});

t.test("with the user's own home the same settings are passed as arguments", async (t) => {
  const replaced = { ...patience, replaceBuiltIn: true };
  const { configArgs } = await prepareCodexHome(
    await makeOptions(t, "", { mode: "user", patience: replaced }),
  );
  for (const setting of [
    'model_provider="codex-native-api-openai"',
    'model_providers.codex-native-api-openai.http_headers.version="0.171.0"',
    "model_providers.codex-native-api-openai.stream_idle_timeout_ms=720000",
  ]) {
    t.ok(configArgs.includes(setting), setting);
  }
  const corp = 'model_provider = "corp"\n[model_providers.corp]\nname = "corp"\n';
  const own = await prepareCodexHome(await makeOptions(t, corp, { mode: "user", patience }));
  t.ok(own.configArgs.includes("model_providers.corp.stream_idle_timeout_ms=720000"));
});

t.test("a provider without retries waits longer than a turn may be silent", async (t) => {
  const provider = 'model_provider = "corp"\n[model_providers.corp]\nname = "corp"\nstream_max_retries = 0\n';
  t.match(await readOwnConfig(await makeOptions(t, provider, { patience })), {
    model_providers: { corp: { stream_idle_timeout_ms: 1_080_000 } },
  });
});
