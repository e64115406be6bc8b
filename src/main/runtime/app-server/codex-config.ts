/** Codex's configuration as this service reads and writes it. Pure: no file is touched here. */
import { isAbsolute, join } from "node:path";
import { parse, type TomlTable, type TomlValue } from "smol-toml";

/** Top-level keys that decide which backend is used and how it is logged in to. */
const carriedKeys = [
  "model_provider",
  "model_providers",
  "openai_base_url",
  "chatgpt_base_url",
  "cli_auth_credentials_store",
  "forced_login_method",
  "forced_chatgpt_workspace_id",
] as const;

/** Switches of the way to the backend. Certificates and proxy addresses come by the environment. */
const carriedFeatures = [
  "respect_system_proxy",
  "system_proxy_fallback",
  "enable_request_compression",
] as const;

/** What a profile of the older kind (`profile = "x"`, up to 0.16x) may say about the backend. */
const carriedProfileKeys = ["model_provider", "openai_base_url", "chatgpt_base_url"] as const;

/** What this service asks of every Codex process it starts, as dotted keys. */
export const serviceSettings: Readonly<Record<string, string | boolean>> = {
  suppress_unstable_features_warning: true,
  check_for_update_on_startup: false,
  "analytics.enabled": false,
  "feedback.enabled": false,
  "history.persistence": "none",
  // Each of these makes the process talk to the backend at start; a side task has no use for them.
  "features.plugins": false,
  "features.remote_plugin": false,
  "features.plugin_sharing": false,
  "features.apps": false,
  // Where an organisation pins apps on, the switch above does not hold, and the model could call the account's own.
  "apps._default.enabled": false,
};

/** Variables that providers built into Codex read. */
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

/** The part of the user's configuration that an own CODEX_HOME needs: backend and login, nothing else. */
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

/** The provider profile in effect. */
export function readModelProvider(config: TomlTable): string {
  const provider = config.model_provider;
  return typeof provider === "string" && provider !== "" ? provider : "openai";
}

/** Where the account's own routes are, if the configuration says it. */
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

/** Names that fit in a dotted `-c` key; others cannot be addressed there. */
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
    // Not TOML, so it is meant literally, as `codex -c` has it.
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

/** Codex takes a relative path as relative to the file it stands in, and the copy stands elsewhere. */
function anchorRelativePaths(carried: TomlTable, userCodexHome: string): void {
  const providers = carried.model_providers;
  for (const provider of isTable(providers) ? Object.values(providers) : []) {
    const auth = isTable(provider) ? provider.auth : undefined;
    if (!isTable(auth) || typeof auth.cwd !== "string" || isAbsolute(auth.cwd)) continue;
    auth.cwd = join(userCodexHome, auth.cwd);
  }
}
