import type { CodexHomeMode } from "./codex-home.js";

export interface ChildEnvironmentOptions {
  readonly parentEnv: Readonly<Record<string, string | undefined>>;
  readonly codexHome: string;
  readonly homeMode: CodexHomeMode;
  /** Variables that the configured model providers read. */
  readonly providerKeys: readonly string[];
  /** Codex's log filter (`RUST_LOG`); null leaves its default. */
  readonly rustLog: string | null;
}

/** How Codex reaches the model's backend from this machine. */
export const networkVariables = {
  proxies: [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
  ],
  /** Paths of files and directories. */
  certificates: ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "CODEX_CA_CERTIFICATE"],
} as const;

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

/** Without these no Windows program starts or finds its home. Windows ignores the case of names. */
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

/** How a Linux keyring is reached; only the user's own home can have its login there. */
const forKeyring = new Set(["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"]);

/** This service's own settings, its token among them: never for a child, whatever a configuration names. */
const ownSetting = /^(?:CODEX_NATIVE_API_|CODEXBRIDGE_)/;

/** The whole environment of a Codex child: an allow-list, so that no secret of the host program leaks into it. */
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
