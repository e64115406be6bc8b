import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { peersDirectory } from "../contestants/peer-contestant.js";

const timeoutMs = 180_000;

/** As the lockfile of `bench/peers` says, without the Codex binaries that peers bring along: all run on the same one. */
export async function installPeers(): Promise<void> {
  await promisify(execFile)("npm", ["ci", "--omit=optional", "--no-audit", "--no-fund"], {
    cwd: peersDirectory,
    timeout: timeoutMs,
  });
}
