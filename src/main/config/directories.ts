/** Where each platform keeps a user's configuration and state. */
import { posix, win32 } from "node:path";
import type { Machine } from "./machine.js";

export type Environment = Readonly<Record<string, string | undefined>>;

const folder = "codex-native-api";

export function locateDefaultConfigFile(machine: Machine, env: Environment): string {
  const { homeDir, platform } = machine;
  if (platform === "win32")
    return win32.join(env.APPDATA || win32.join(homeDir, "AppData", "Roaming"), folder, "config.json");
  if (platform === "darwin")
    return posix.join(homeDir, "Library", "Application Support", folder, "config.json");
  return posix.join(xdgDirectory(env.XDG_CONFIG_HOME, homeDir, ".config"), folder, "config.json");
}

export function locateDefaultStateDir(machine: Machine, env: Environment): string {
  const { homeDir, platform } = machine;
  if (platform === "win32")
    return win32.join(env.LOCALAPPDATA || win32.join(homeDir, "AppData", "Local"), folder, "state");
  if (platform === "darwin") return posix.join(homeDir, "Library", "Application Support", folder, "state");
  return posix.join(xdgDirectory(env.XDG_STATE_HOME, homeDir, ".local/state"), folder);
}

/** The XDG rules say to ignore a relative path. */
function xdgDirectory(value: string | undefined, homeDir: string, fallback: string): string {
  return value !== undefined && posix.isAbsolute(value) ? value : posix.join(homeDir, fallback);
}
