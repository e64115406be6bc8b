import { loadConfig } from "../../src/main/config/load-config.js";
import { readMachine } from "../../src/main/config/machine.js";
import type { CodexNativeApiConfig } from "../../src/main/config/types.js";

/** What of the service's configuration decides its speed. */
export type ServiceSettings = Pick<CodexNativeApiConfig, "workers" | "admission" | "turns" | "logLevel">;

/** The defaults on this machine, with which the service is measured. */
export function readServiceSettings(): ServiceSettings {
  // A home that is not there holds no configuration file, as the one that the service is given.
  const loaded = loadConfig({ argv: [], env: { HOME: "/nonexistent" }, machine: readMachine() });
  if (!loaded.ok) throw new Error(`the defaults are at fault: ${JSON.stringify(loaded.faults)}`);
  const { workers, admission, turns, logLevel } = loaded.config;
  return { workers, admission, turns, logLevel };
}
