import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify, type TomlTable } from "smol-toml";
import { type AuthLinkMend, mendAuthLink } from "./auth-link.js";
import {
  applyOverride,
  applyServiceSettings,
  carryOverConfig,
  readAccountBase,
  readMcpServerNames,
  readModelProvider,
  readProviderEnvironmentKeys,
  serviceSettings,
  setByPath,
} from "./codex-config.js";
import { ensurePrivateDirectory, isSystemError, writePrivateFile } from "./private-files.js";
import { patientSettings, type StreamPatience } from "./stream-patience.js";
import { unavailable } from "./unavailable.js";

export type CodexHomeMode =
  /** An own CODEX_HOME, in which `auth.json` is a link to the user's. */
  | "isolated"
  /** The user's CODEX_HOME; nothing is written there by this service. */
  | "user";

export interface PrepareCodexHomeOptions {
  readonly mode: CodexHomeMode;
  /** The user's CODEX_HOME, absolute. It need not exist. */
  readonly userCodexHome: string;
  /** This instance's own CODEX_HOME, absolute. */
  readonly ownCodexHome: string;
  /** Dotted key to TOML value, as `codex -c` takes them. */
  readonly codexConfig: Readonly<Record<string, string>>;
  /** How long Codex waits for a silent model. Default: as it does by itself. */
  readonly patience?: StreamPatience;
}

export interface PreparedCodexHome {
  /** The mode in effect. */
  readonly mode: CodexHomeMode;
  /** Why `isolated` was not possible, safe to show; null when what was asked for is in effect. */
  readonly fallbackReason: string | null;
  /** CODEX_HOME for the child. */
  readonly path: string;
  /** `-c key=value` arguments for every Codex process; empty in `isolated` mode, where the file says it all. */
  readonly configArgs: readonly string[];
  /** Environment variables that the configured providers read. */
  readonly environmentKeys: readonly string[];
  /** Codex's `model_provider`, `openai` when the user names none: the provider profile id. */
  readonly modelProvider: string;
  /** Codex's `chatgpt_base_url`, where the account's own routes are; null where it is Codex's default. */
  readonly accountBaseUrl: string | null;
  /** Whether Codex has its login from `authFile`, and from nowhere else. */
  readonly keepsLoginInFile: boolean;
  /** The file whose change means another login: the user's, wherever the link leads. */
  readonly authFile: string;
  /** What was done to the login link; null in `user` mode. */
  readonly authLink: AuthLinkMend | null;
  /** Faults that did not stop it, safe to show. */
  readonly warnings: readonly string[];
}

/**
 * Reads the user's configuration anew, mends the login link and writes the own home. Call before each start of an
 * app-server. Rejects with `native_runtime_unavailable` when the user's configuration cannot be read: Codex itself would
 * start with its defaults then, and send the user's work to a backend they did not choose.
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
    // Windows grants symbolic links to administrators and developers only; some file systems to nobody.
    if (!isSystemError(error, "EPERM")) throw error;
    return describeUserHome(options, user, "This system does not let the service make a symbolic link.");
  }
}

async function writeOwnHome(
  options: PrepareCodexHomeOptions,
  carried: TomlTable,
): Promise<PreparedCodexHome> {
  const { ownCodexHome, userCodexHome, codexConfig, patience } = options;
  await ensurePrivateDirectory(ownCodexHome, "own Codex home");
  const config: TomlTable = structuredClone(carried);
  // `auto` would move a refreshed login into a keyring entry of this home's and leave the user's file behind, stale.
  if (config.cli_auth_credentials_store !== "ephemeral") config.cli_auth_credentials_store = "file";
  applyServiceSettings(config);
  for (const { path, value } of patience === undefined ? [] : patientSettings(carried, patience)) {
    setByPath(config, path, value);
  }
  // Last, so that who runs the service has the last word.
  for (const [key, value] of Object.entries(codexConfig)) applyOverride(config, key, value);
  await writePrivateFile(join(ownCodexHome, "config.toml"), `${stringify(config)}\n`);
  const authLink = await mendAuthLink({ userCodexHome, ownCodexHome });
  return {
    mode: "isolated",
    fallbackReason: null,
    path: ownCodexHome,
    configArgs: [],
    environmentKeys: readProviderEnvironmentKeys(config),
    // A copy of the built-in one is that to everybody.
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
    // The user's own hooks into their own turns: seen to fire on this service's turns too unless switched off.
    notify: "[]",
    ...Object.fromEntries(mcpServers.addressable.map((name) => [`mcp_servers.${name}.enabled`, "false"])),
    ...Object.fromEntries(
      // A name with a dot in it cannot be addressed by `-c`.
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

/** A keyring login belongs to the path of the home it was made in, so an own home cannot see it. */
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
      "The user's Codex configuration (config.toml) is not valid TOML. Correct it; it is read again at the next attempt.",
      error,
    );
  }
}
