/** Other Nodes than the one that runs: the packages `node-<platform>-<arch>`, which hold what the package `node` installs. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installPackages, readNewestVersion } from "./npm-install.js";

/** Where clients, and the Nodes for them, are kept between runs. */
export const clientsCache = process.env.CODEX_CLIENTS_CACHE ?? join(tmpdir(), "codex-native-api-clients");

const windows = process.platform === "win32";
const nodePackage = `node-${windows ? "win" : process.platform}-${process.arch}`;

/** The path of this version's binary, which is installed unless it is there. */
export async function fetchNode(version: string): Promise<string> {
  const home = join(clientsCache, `node-${version}`);
  await installPackages(home, [`${nodePackage}@${version}`]);
  return join(home, "node_modules", nodePackage, "bin", windows ? "node.exe" : "node");
}

/** The newest version of a release line, such as `24`; a whole version is itself. */
export function readNewestNode(line: string): Promise<string> {
  return readNewestVersion(`${nodePackage}@${line}`);
}
