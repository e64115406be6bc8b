import { createHash } from "node:crypto";
import type { IsolatedTurnRequest } from "../runtime/types.js";

/**
 * What a native thread keeps for its life, and what a parked turn was told, as one word: a turn goes on there only if these
 * are equal. The model is compared by itself, since a request need not name one.
 */
export function fingerprintThread(request: IsolatedTurnRequest): string {
  const settings = [
    request.instructions ?? "",
    request.tools ?? [],
    request.webSearch ?? false,
    request.verbosity ?? null,
    request.directives ?? [],
  ];
  return createHash("sha256").update(JSON.stringify(settings)).digest("base64url");
}
