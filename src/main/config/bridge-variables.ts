/**
 * Variables of CodexBridge, a program whose own native API this service replaces. Its users keep their environment: some variables set
 * an option of ours, others have no effect and are named in a warning, so that nobody relies on them.
 */
import { basename, dirname, resolve } from "node:path";
import { type ConfigFault, faultAt } from "./faults.js";
import type { Environment } from "./machine.js";
import { envPrefix } from "./option.js";

/** Another name of an option's variable. Counts only where that one is not set. */
interface VariableAlias {
  readonly name: string;
  /** The option that it sets. */
  readonly key: string;
  /** Completes "it takes …". */
  readonly allowed: string;
  /** The text for the option's own variable; null where it takes no such text. */
  readonly translate: (text: string) => string | null;
}

export const variableAliases: readonly VariableAlias[] = [
  {
    name: "CODEX_REAL_BIN",
    key: "codex.bin",
    allowed: "a command name or the path of the Codex binary",
    translate: (text) => text,
  },
  {
    name: `${envPrefix}AUTH_PATH`,
    key: "codex.userHome",
    // Codex knows no other name of its login. To run on the default login instead would be to run on another account.
    allowed: "the path of an auth.json, whose folder is then CODEX_HOME",
    translate: (text) => (basename(text) === "auth.json" ? dirname(text) : null),
  },
];

const publicBind = `${envPrefix}PUBLIC`;

/** `PUBLIC` would open the listener to the network: only `listen.host` does that, and it demands a token. */
export const inertVariables: readonly string[] = [
  publicBind,
  ...["TITLE_PREFIX", "PROVIDER_PROFILE", "PROVIDER_PROFILE_ID", "DEFAULT_CWD", "RESTART_SEC", "DEBUG"].map(
    (name) => `${envPrefix}${name}`,
  ),
];

/** At most two: one for all variables without effect, one for a login that another variable overrides. */
export function warnOfBridgeVariables(env: Environment, workingDir: string): readonly ConfigFault[] {
  const inert = inertVariables.filter((name) => env[name]);
  const warnings: ConfigFault[] = [];
  if (inert.length > 0) {
    const hint = inert.includes(publicBind) ? `; only ${envPrefix}HOST says where the service listens` : "";
    warnings.push(faultAt(inert.join(", "), `${inert.length === 1 ? "has" : "have"} no effect${hint}`));
  }
  const authPath = env[`${envPrefix}AUTH_PATH`];
  const home = env.CODEX_HOME;
  if (authPath && home && resolve(workingDir, dirname(authPath)) !== resolve(workingDir, home))
    warnings.push(
      faultAt(`${envPrefix}AUTH_PATH`, "has no effect: CODEX_HOME is set too, and names another login"),
    );
  return warnings;
}
