/** Which Codex the tests run on, and what that version lacks. */
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { type CodexFeature, hasFeature, isAtLeast } from "../../src/workers/contract/codex-capabilities.js";

/** The binary that `TEST_CODEX_BIN` names; null: the installed package's. */
export const testCodexBin: string | null = process.env.TEST_CODEX_BIN || null;

/** Such as `0.169.0`. */
export const testCodexVersion: string = readVersion();

function readVersion(): string {
  if (testCodexBin !== null) {
    const printed = execFileSync(testCodexBin, ["--version"], { encoding: "utf8" });
    return /(\d+\.\d+\.\d+\S*)/.exec(printed)?.[1] ?? "0.0.0";
  }
  const { version } = createRequire(import.meta.url)("@openai/codex/package.json") as { version: string };
  return version;
}

/** Why a test of this feature cannot run on this Codex; null where it can. */
export function lacks(feature: CodexFeature): string | null {
  return hasFeature(testCodexVersion, feature) ? null : `Codex ${testCodexVersion} lacks ${feature}`;
}

/** Options of a test that needs the feature: it is skipped, by name, on a Codex without it. */
export function needs(feature: CodexFeature): { readonly skip?: string } {
  const reason = lacks(feature);
  return reason === null ? {} : { skip: reason };
}

/** Options of a test of what is done where the feature is missing. */
export function needsLackOf(feature: CodexFeature): { readonly skip?: string } {
  return hasFeature(testCodexVersion, feature) ? { skip: `Codex ${testCodexVersion} has ${feature}` } : {};
}

/** A model that the catalog marks for Responses Lite, and that of 0.140 does not know. */
export const markedModel = "gpt-5.6-sol";

/** Options of a test that needs it. */
export const needsMarkedModel: { readonly skip?: string } = isAtLeast(testCodexVersion, 0, 150)
  ? {}
  : { skip: `Codex ${testCodexVersion} has no ${markedModel}` };

/** Options of a test that logs in by device code: before 0.160 Codex can be told no other issuer, and tests stay on this machine. */
export const offlineDeviceLogin: { readonly skip?: string } = isAtLeast(testCodexVersion, 0, 160)
  ? {}
  : { skip: `Codex ${testCodexVersion} logs in with OpenAI only` };
