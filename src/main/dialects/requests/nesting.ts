import { CodexNativeApiError } from "../../errors.js";

/** Codex reads JSON up to 128 levels deep, and what it does not read it never answers. The envelope takes some of them. */
const maxLevels = 100;

/** @throws CodexNativeApiError `invalid_request` for a body that no JSON-RPC message could carry to Codex. */
export function refuseDeepNesting(body: object): void {
  let level: readonly object[] = [body];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > maxLevels) {
      throw new CodexNativeApiError(
        "invalid_request",
        `The request body is nested deeper than ${maxLevels} levels.`,
      );
    }
    level = level.flatMap((entry) => Object.values(entry).filter(isContainer));
  }
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
