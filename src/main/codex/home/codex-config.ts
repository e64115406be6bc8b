/** Reads and changes Codex's configuration as a parsed table. Pure: this module touches no file. */
import { isAbsolute, join } from "node:path";
import { parse, type TomlTable, type TomlValue } from "smol-toml";

/** Top-level keys that decide which backend Codex uses and how it logs in. */
const carriedKeys = [
  "model_provider",
  "model_providers",
  "openai_base_url",
  "chatgpt_base_url",
  "cli_auth_credentials_store",
  "forced_login_method",
  "forced_chatgpt_workspace_id",
] as const;

/** Feature switches for the connection to the backend. Certificates and proxy addresses come from the environment. */
const carriedFeatures = [
  "respect_system_proxy",
  "system_proxy_fallback",
  "enable_request_compression",
] as const;

/** Keys for the backend in a profile of the older kind (`profile = "x"`, up to 0.16x). */
const carriedProfileKeys = ["model_provider", "openai_base_url", "chatgpt_base_url"] as const;

/** Settings of every Codex process that this service starts, as dotted keys. */
export const serviceSettings: Readonly<Record<string, string | boolean>> = {
  suppress_unstable_features_warning: true,
  check_for_update_on_startup: false,
  "analytics.enabled": false,
  "feedback.enabled": false,
  "history.persistence": "none",
  // Each of these would make the process contact the backend at start, and side tasks do not need them.
  "features.plugins": false,
  "features.remote_plugin": false,
  "features.plugin_sharing": false,
  "features.apps": false,
  // If an organisation forces apps on, the switch above has no effect, and the model could call the account's apps.
  "apps._default.enabled": false,
};

/** Variables that Codex's built-in providers read. */
const builtInProviderKeys: Readonly<Record<string, readonly string[]>> = {
  ollama: ["CODEX_OSS_PORT", "CODEX_OSS_BASE_URL"],
  lmstudio: ["CODEX_OSS_PORT", "CODEX_OSS_BASE_URL"],
  "amazon-bedrock": [
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_BEARER_TOKEN_BEDROCK",
  ],
};

export function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Copies the part of the user's configuration that the service's own CODEX_HOME needs: backend and login, nothing else. */
export function carryOverConfig(user: TomlTable, userCodexHome: string): TomlTable {
  const carried: TomlTable = {};
  for (const key of carriedKeys) {
    const value = user[key];
    if (value !== undefined) carried[key] = structuredClone(value);
  }
  const { features, profile, profiles } = user;
  for (const key of carriedFeatures) {
    const value = isTable(features) ? features[key] : undefined;
    if (value !== undefined) setByPath(carried, ["features", key], value);
  }
  const chosen = typeof profile === "string" && isTable(profiles) ? profiles[profile] : undefined;
  for (const key of carriedProfileKeys) {
    const value = isTable(chosen) ? chosen[key] : undefined;
    if (value !== undefined) carried[key] = value;
  }
  anchorRelativePaths(carried, userCodexHome);
  return carried;
}

/** Sets `key=value` as `codex -c` does: a dotted path, and a value that is TOML or else the text itself. */
export function applyOverride(config: TomlTable, dottedKey: string, rawValue: string): void {
  setByPath(config, dottedKey.split("."), parseOverrideValue(rawValue));
}

export function applyServiceSettings(config: TomlTable): void {
  for (const [key, value] of Object.entries(serviceSettings)) setByPath(config, key.split("."), value);
}

/** The `model_provider` in effect; `openai` if the configuration names none. */
export function readModelProvider(config: TomlTable): string {
  const provider = config.model_provider;
  return typeof provider === "string" && provider !== "" ? provider : "openai";
}

/** The base URL of the provider in effect; `default` for the built-in OpenAI one, null where no base URL says it. */
export function readModelBase(config: TomlTable): string | "default" | null {
  const id = readModelProvider(config);
  const providers = config.model_providers;
  const own = isTable(providers) ? providers[id] : undefined;
  if (isTable(own)) return typeof own.base_url === "string" ? own.base_url : null;
  if (id !== "openai") return null;
  return typeof config.openai_base_url === "string" ? config.openai_base_url : "default";
}

/** The base URL of the account's own backend; null if the configuration names none. */
export function readAccountBase(config: TomlTable): string | null {
  const { chatgpt_base_url: base } = config;
  return typeof base === "string" ? base : null;
}

/** Environment variables that the configured providers name, or are known to read. */
export function readProviderEnvironmentKeys(config: TomlTable): readonly string[] {
  const keys = new Set(builtInProviderKeys[readModelProvider(config)] ?? []);
  const providers = config.model_providers;
  for (const provider of isTable(providers) ? Object.values(providers) : []) {
    if (!isTable(provider)) continue;
    const { env_key: envKey, env_http_headers: headers, aws } = provider;
    if (typeof envKey === "string") keys.add(envKey);
    for (const name of isTable(headers) ? Object.values(headers) : []) {
      if (typeof name === "string") keys.add(name);
    }
    if (isTable(aws)) for (const name of builtInProviderKeys["amazon-bedrock"] ?? []) keys.add(name);
  }
  return [...keys];
}

/** Names of the MCP servers. Only the `addressable` ones can stand in a dotted `-c` key. */
export function readMcpServerNames(config: TomlTable): { addressable: string[]; others: string[] } {
  const servers = config.mcp_servers;
  const names = isTable(servers) ? Object.keys(servers) : [];
  return {
    addressable: names.filter((name) => /^[\w-]+$/.test(name)),
    others: names.filter((name) => !/^[\w-]+$/.test(name)),
  };
}

function parseOverrideValue(raw: string): TomlValue {
  try {
    return parse(`value = ${raw}`).value ?? raw;
  } catch {
    // Not TOML, so take the text literally, as `codex -c` does.
    return raw.trim().replace(/^["']+|["']+$/g, "");
  }
}

export function setByPath(config: TomlTable, path: readonly string[], value: TomlValue): void {
  let table = config;
  for (const segment of path.slice(0, -1)) {
    const next = table[segment];
    if (isTable(next)) table = next;
    else {
      const created: TomlTable = {};
      table[segment] = created;
      table = created;
    }
  }
  const last = path.at(-1);
  if (last !== undefined) table[last] = value;
}

/** Makes relative paths absolute: Codex resolves them against the file's directory, and the copy is in another one. */
function anchorRelativePaths(carried: TomlTable, userCodexHome: string): void {
  const providers = carried.model_providers;
  for (const provider of isTable(providers) ? Object.values(providers) : []) {
    const auth = isTable(provider) ? provider.auth : undefined;
    if (!isTable(auth) || typeof auth.cwd !== "string" || isAbsolute(auth.cwd)) continue;
    auth.cwd = join(userCodexHome, auth.cwd);
  }
}
