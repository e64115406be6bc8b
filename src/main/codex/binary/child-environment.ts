import type { CodexHomeMode } from "../../config/codex-choices.js";
import { networkVariables } from "../../outbound/outbound-route.js";

export interface ChildEnvironmentOptions {
  readonly parentEnv: Readonly<Record<string, string | undefined>>;
  readonly codexHome: string;
  readonly homeMode: CodexHomeMode;
  /** Names of the variables that the configured model providers read. */
  readonly providerKeys: readonly string[];
  /** Codex's log filter (`RUST_LOG`); null keeps its default. */
  readonly rustLog: string | null;
}

const always = new Set<string>([
  ...networkVariables.proxies,
  ...networkVariables.certificates,
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "TZ",
  "TMPDIR",
  "CODEX_REFRESH_TOKEN_URL_OVERRIDE",
  "CODEX_REVOKE_TOKEN_URL_OVERRIDE",
]);

/** Windows programs need these to start and to find their home. Windows ignores the case of names. */
const alwaysOnWindows = new Set([
  "SYSTEMROOT",
  "SYSTEMDRIVE",
  "WINDIR",
  "COMSPEC",
  "PATHEXT",
  "TEMP",
  "TMP",
  "USERPROFILE",
  "USERNAME",
  "HOMEDRIVE",
  "HOMEPATH",
  "APPDATA",
  "LOCALAPPDATA",
  "PROGRAMDATA",
  "PROGRAMFILES",
  "PATH",
]);

/** Codex needs these to reach a Linux keyring; only the user's own home can have its login there. */
const forKeyring = new Set(["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"]);

/** This service's own settings, including its token. A child never gets them, even if a provider names one. */
const ownSetting = /^(?:CODEX_NATIVE_API_|CODEXBRIDGE_)/;

/** Builds the whole environment of a Codex child from an allow-list, so that no secret of the host leaks into it. */
export function buildChildEnvironment(options: ChildEnvironmentOptions): Record<string, string> {
  const { parentEnv, codexHome, homeMode, rustLog } = options;
  const providerKeys = new Set(options.providerKeys);
  const windows = process.platform === "win32";
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(parentEnv)) {
    if (value === undefined || ownSetting.test(name)) continue;
    const allowed =
      always.has(name) ||
      name.startsWith("LC_") ||
      providerKeys.has(name) ||
      (windows && alwaysOnWindows.has(name.toUpperCase())) ||
      (homeMode === "user" && forKeyring.has(name));
    if (allowed) environment[name] = value;
  }
  environment.CODEX_HOME = codexHome;
  if (rustLog !== null) environment.RUST_LOG = rustLog;
  return environment;
}
