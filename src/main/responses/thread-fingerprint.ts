import { createHash } from "node:crypto";
import type { IsolatedTurnRequest } from "../runtime/types.js";

/**
 * What a native thread keeps for its life, and what a parked turn was told, as one word: a turn goes on there only if these
 * are equal. The model is compared by itself, since a request need not name one.
 */
export function fingerprintThread(request: IsolatedTurnRequest): string {
  const { instructions = "", tools = [], webSearch = false, verbosity = null, directives = [] } = request;
  const lengths = tools.map(({ name, description }) => [name, description.length]);
  // Long texts as they are: written as JSON once more they would be escaped once more.
  const hash = createHash("sha256")
    .update(JSON.stringify([instructions.length, lengths, webSearch, verbosity, directives]))
    .update(instructions);
  for (const { description, parameters } of tools) {
    hash.update(description).update(JSON.stringify(parameters));
  }
  return hash.digest("base64url");
}
