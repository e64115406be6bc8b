import {
  compareToTested,
  newestTestedCodex,
  oldestTestedCodex,
} from "../../../workers/contract/codex-capabilities.js";
import type { Environment } from "../../config/machine.js";
import { CodexNativeApiError } from "../../errors.js";
import { findCodexBinary } from "../../runtime/app-server/codex-binary.js";
import { type Finding, fail, ok, warn } from "./finding.js";

const timeoutMs = 10_000;
const check = "codex";

/**
 * Is Codex there, does it run, and was this version tried? `running` is the version that the service runs, null where none runs
 * or where it is not the service that starts it.
 */
export async function checkBinary(
  configured: string | null,
  env: Environment,
  running: string | null,
  signal?: AbortSignal,
): Promise<Finding> {
  try {
    const { path, version, source } = await findCodexBinary({ configured, env, timeoutMs, signal });
    const found = `${version}, ${path} (${places[source]})`;
    if (running !== null && running !== version)
      return warn(check, `${found}; the service still runs ${running}`, "restart the service to use it");
    return judgeVersion(version, found);
  } catch (error) {
    const { message } = CodexNativeApiError.fromUnknown(error);
    return fail(check, message, "npm install -g @openai/codex, or name the binary with --codex-bin");
  }
}

const places = { configured: "as configured", path: "on PATH", package: "the installed package's" } as const;

export function judgeVersion(version: string, found: string): Finding {
  switch (compareToTested(version)) {
    case "within":
      return ok(check, found);
    case "older":
      return warn(check, found, `older than ${oldestTestedCodex}, the oldest version tried; update Codex`);
    case "newer":
      return warn(
        check,
        found,
        `newer than ${newestTestedCodex}, the newest version tried; it most likely works`,
      );
    case "unknown":
      return warn(
        check,
        found,
        `its version is none that was tried (${oldestTestedCodex} to ${newestTestedCodex})`,
      );
  }
}
