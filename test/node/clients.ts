/** The newest clients, installed for a run: the lockfile has those that the oldest Node takes. */
import { join } from "node:path";
import { clientsCache } from "../support/fetch-node.js";
import { installPackages, readNewestVersion } from "../support/npm-install.js";

/** Packages that tests import as callers do. */
export const newestClients = [
  "openai",
  "ai",
  "@ai-sdk/openai",
  "@langchain/openai",
  "@langchain/core",
  "@openai/agents",
] as const;

export interface InstalledClients {
  readonly home: string;
  /** Such as `openai 7.59.0`. */
  readonly names: readonly string[];
}

/** Installs today's versions unless they are there. `ws` is what `openai` takes its WebSocket from. */
export async function installNewestClients(): Promise<InstalledClients> {
  const packages = [...newestClients, "ws"];
  const versions = await Promise.all(packages.map(readNewestVersion));
  const specs = packages.map((name, index) => `${name}@${versions[index]}`);
  const home = join(clientsCache, `newest-${versions.join("-")}`);
  await installPackages(home, specs);
  const names = newestClients.map((name, index) => `${name} ${versions[index]}`);
  return { home, names };
}
