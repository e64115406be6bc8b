import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify, type TomlTable } from "smol-toml";
import type { CodexHomeMode } from "../../config/codex-choices.js";
import { readLoginClaims } from "../login/login-file.js";
import { unavailable } from "../process/unavailable.js";
import { type AuthLinkRepair, repairAuthLink } from "./auth-link.js";
import {
  applyOverride,
  applyServiceSettings,
  carryOverConfig,
  readAccountBase,
  readMcpServerNames,
  readModelBase,
  readModelProvider,
  readProviderEnvironmentKeys,
  serviceSettings,
  setByPath,
} from "./codex-config.js";
import { ensurePrivateDirectory, isSystemError, writePrivateFile } from "./private-files.js";
import { patientSettings, type StreamPatience } from "./stream-patience.js";

export interface PrepareCodexHomeOptions {
  readonly mode: CodexHomeMode;
  /** The user's CODEX_HOME, absolute. May be missing. */
  readonly userCodexHome: string;
  /** This instance's own CODEX_HOME, absolute. */
  readonly ownCodexHome: string;
  /** Dotted key to TOML value, as `codex -c` takes them. */
  readonly codexConfig: Readonly<Record<string, string>>;
  /** How long Codex waits for a silent model. Default: Codex's own setting. */
  readonly patience?: StreamPatience;
}

export interface PreparedCodexHome {
  /** The mode in effect. */
  readonly mode: CodexHomeMode;
  /** Why `isolated` was not possible, safe to show; null if the requested mode is in effect. */
  readonly fallbackReason: string | null;
  /** CODEX_HOME for the child. */
  readonly path: string;
  /** `-c key=value` arguments for every Codex process; empty in `isolated` mode, where config.toml has all settings. */
  readonly configArgs: readonly string[];
  /** Environment variables that the configured providers read. */
  readonly environmentKeys: readonly string[];
  /** Codex's `model_provider`, which is the id of the provider profile; `openai` if the user names none. */
  readonly modelProvider: string;
  /** Codex's `chatgpt_base_url`, the account's own backend; null for Codex's default. */
  readonly accountBaseUrl: string | null;
  /** Whether Codex takes its login only from `authFile`. */
  readonly keepsLoginInFile: boolean;
  /** The user's login file, to be watched for changes. */
  readonly authFile: string;
  /** What was done to the login link; null in `user` mode. */
  readonly authLink: AuthLinkRepair | null;
  /** Faults that did not prevent the preparation, safe to show. */
  readonly warnings: readonly string[];
}

/**
 * Reads the user's configuration again, repairs the login link and writes the service's own home. Call before each start of
 * an app-server. Rejects with `native_runtime_unavailable` if the user's configuration cannot be read: Codex itself would
 * start with its defaults and send the user's work to a backend that they did not choose.
 */
export async function prepareCodexHome(options: PrepareCodexHomeOptions): Promise<PreparedCodexHome> {
  const user = await readUserConfig(options.userCodexHome);
  if (options.mode === "user") return describeUserHome(options, user, null);
  const carried = carryOverConfig(user, options.userCodexHome);
  for (const [key, value] of Object.entries(options.codexConfig)) applyOverride(carried, key, value);
  const fallbackReason = await findKeyringReason(carried, options.userCodexHome);
  if (fallbackReason !== null) return describeUserHome(options, user, fallbackReason);
  try {
    return await writeOwnHome(options, carried);
  } catch (error) {
    // Windows lets only administrators and developers make symbolic links; some file systems have none.
    if (!isSystemError(error, "EPERM")) throw error;
    return describeUserHome(options, user, "This system does not let the service make a symbolic link.");
  }
}

/** Codex's own base URLs of its built-in provider. */
const defaultBases = {
  chatgpt: "https://chatgpt.com/backend-api/codex",
  apiKey: "https://api.openai.com/v1",
} as const;

/** Where the model's requests go; null if that is not known, as it is while nobody is logged in. Rejects as `prepareCodexHome` does. */
export async function findModelBackend({
  userCodexHome,
  codexConfig,
}: Pick<PrepareCodexHomeOptions, "userCodexHome" | "codexConfig">): Promise<string | null> {
  const config = carryOverConfig(await readUserConfig(userCodexHome), userCodexHome);
  for (const [key, value] of Object.entries(codexConfig)) applyOverride(config, key, value);
  const base = readModelBase(config);
  if (base !== "default") return base;
  const authFile = join(userCodexHome, "auth.json");
  if ((await readLoginClaims(authFile)) !== null) return defaultBases.chatgpt;
  const hasLogin = await access(authFile).then(
    () => true,
    () => false,
  );
  if (hasLogin) return defaultBases.apiKey;
  // A login in a keyring is one of ChatGPT more often than not.
  return (config.cli_auth_credentials_store ?? "file") === "file" ? null : defaultBases.chatgpt;
}

async function writeOwnHome(
  options: PrepareCodexHomeOptions,
  carried: TomlTable,
): Promise<PreparedCodexHome> {
  const { ownCodexHome, userCodexHome, codexConfig, patience } = options;
  await ensurePrivateDirectory(ownCodexHome, "own Codex home");
  const config: TomlTable = structuredClone(carried);
  // With `auto`, Codex would move a refreshed login into a keyring entry of this home and leave the user's file outdated.
  if (config.cli_auth_credentials_store !== "ephemeral") config.cli_auth_credentials_store = "file";
  applyServiceSettings(config);
  for (const { path, value } of patience === undefined ? [] : patientSettings(carried, patience)) {
    setByPath(config, path, value);
  }
  // Applied last, so that the operator's settings override all others.
  for (const [key, value] of Object.entries(codexConfig)) applyOverride(config, key, value);
  await writePrivateFile(join(ownCodexHome, "config.toml"), `${stringify(config)}\n`);
  const authLink = await repairAuthLink({ userCodexHome, ownCodexHome });
  return {
    mode: "isolated",
    fallbackReason: null,
    path: ownCodexHome,
    configArgs: [],
    environmentKeys: readProviderEnvironmentKeys(config),
    // Report the original id, also if a copy replaces the built-in provider.
    modelProvider: readModelProvider(carried),
    accountBaseUrl: readAccountBase(config),
    keepsLoginInFile: config.cli_auth_credentials_store === "file",
    authFile: join(userCodexHome, "auth.json"),
    authLink,
    warnings: [],
  };
}

function describeUserHome(
  options: PrepareCodexHomeOptions,
  user: TomlTable,
  fallbackReason: string | null,
): PreparedCodexHome {
  const { userCodexHome, codexConfig, patience } = options;
  const mcpServers = readMcpServerNames(user);
  const effective = structuredClone(user);
  for (const [key, value] of Object.entries(codexConfig)) applyOverride(effective, key, value);
  const patient = patience === undefined ? [] : patientSettings(effective, patience);
  const settings: Record<string, string> = {
    ...Object.fromEntries(
      Object.entries(serviceSettings).map(([key, value]) => [key, JSON.stringify(value)]),
    ),
    // The user's notification hook was seen to fire on this service's turns too unless switched off.
    notify: "[]",
    ...Object.fromEntries(mcpServers.addressable.map((name) => [`mcp_servers.${name}.enabled`, "false"])),
    ...Object.fromEntries(
      // `-c` cannot address a name with a dot in it.
      patient.every(({ path }) => path.every((key) => /^[\w-]+$/.test(key)))
        ? patient.map(({ path, value }) => [path.join("."), JSON.stringify(value)])
        : [],
    ),
    ...codexConfig,
  };
  return {
    mode: "user",
    fallbackReason,
    path: userCodexHome,
    configArgs: Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
    environmentKeys: readProviderEnvironmentKeys(effective),
    modelProvider: readModelProvider(effective),
    accountBaseUrl: readAccountBase(effective),
    keepsLoginInFile: (effective.cli_auth_credentials_store ?? "file") === "file",
    authFile: join(userCodexHome, "auth.json"),
    authLink: null,
    warnings: mcpServers.others.map(
      (name) => `The MCP server ${JSON.stringify(name)} of the user's configuration cannot be switched off.`,
    ),
  };
}

/**
 * Why the login may be in a keyring; null if not. A keyring login is bound to its home's path, so another home cannot see
 * it.
 */
async function findKeyringReason(config: TomlTable, userCodexHome: string): Promise<string | null> {
  const store = config.cli_auth_credentials_store;
  if (store === "keyring") return "The Codex login is kept in the system's keyring.";
  if (store !== "auto") return null;
  const hasFile = await access(join(userCodexHome, "auth.json")).then(
    () => true,
    () => false,
  );
  return hasFile ? null : "The Codex login may be kept in the system's keyring.";
}

async function readUserConfig(userCodexHome: string): Promise<TomlTable> {
  let text: string;
  try {
    text = await readFile(join(userCodexHome, "config.toml"), "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT") || isSystemError(error, "ENOTDIR")) return {};
    throw unavailable("The user's Codex configuration (config.toml) cannot be read.", error);
  }
  try {
    return parse(text);
  } catch (error) {
    throw unavailable(
      "The user's Codex configuration (config.toml) is not valid TOML. Correct it; the service reads it again at the next attempt.",
      error,
    );
  }
}
