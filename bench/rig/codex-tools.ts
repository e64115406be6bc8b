import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { findCodexBinary } from "../../src/main/codex/binary/codex-binary.js";
import { testCodexBin } from "../../test/support/codex-version.js";
import type { Ground } from "./rig.js";

/** Codex as a user has it, for whatever does without the service: the user's own CODEX_HOME, and Codex's own settings. */
export interface CodexTools {
  readonly codexPath: string;
  readonly model: string;
  readonly workDirectory: string;
  readonly userHome: string;
  /** The backend's address for what calls it itself. */
  readonly backendUrl: string;
  readonly environment: Readonly<Record<string, string>>;
}

export async function findCodexTools(ground: Ground, model: string): Promise<CodexTools> {
  const { path } = await findCodexBinary({
    configured: testCodexBin,
    env: ground.environment,
    timeoutMs: 20_000,
  });
  const workDirectory = join(ground.directory, "work");
  await mkdir(workDirectory, { recursive: true });
  return {
    codexPath: path,
    model,
    workDirectory,
    userHome: ground.userHome,
    backendUrl: `${ground.backend.origin}/v1`,
    environment: { ...ground.environment, CODEX_HOME: ground.userHome },
  };
}
