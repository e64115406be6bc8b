/**
 * Flags and commands of CodexBridge's native API that this program does not have. Who changes over writes them once more, and learns what
 * is in their place.
 */
import { envPrefix } from "./option.js";

export const bridgePage = "docs/from-codexbridge.md";

const noFolder = "turns run in no folder of yours, so that there is none to set";
const ownLogin = "turns run on the login of Codex, whose folder --codex-home names";
const startsCodex = "the service starts Codex itself";

/** What is in the place of each flag, as it is written on a command line. */
export const replacedFlags: ReadonlyMap<string, string> = new Map([
  [
    "--public",
    "--host 0.0.0.0 opens the listener to the network, and demands a token of at least 16 characters",
  ],
  ["--auth-path", `${envPrefix}AUTH_PATH takes the path of an auth.json, and --codex-home its folder`],
  [
    "--auth-token",
    "a process list shows flags: give --auth-token-file FILE, or set CODEX_NATIVE_API_AUTH_TOKEN",
  ],
  ["--cwd", noFolder],
  ["--provider-profile", ownLogin],
  ["--restart-sec", "the system's service manager restarts the service: codex-native-api service install"],
  ["--launch-cmd", startsCodex],
  ["--autolaunch", startsCodex],
  ["--no-autolaunch", startsCodex],
  ["-p", "write --port"],
]);

/** What is in the place of each command. */
export const replacedCommands: ReadonlyMap<string, string> = new Map([
  ["daemon", "the system's service manager keeps the service running: codex-native-api service install"],
]);
