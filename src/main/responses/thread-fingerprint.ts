import { createHash } from "node:crypto";
import type { IsolatedTurnRequest } from "../runtime/types.js";

/** What a native thread keeps for its life, as one word: turns may share a thread only if these are equal. */
export function fingerprintThread(request: IsolatedTurnRequest, model: string): string {
  const settings = [
    model,
    request.instructions ?? "",
    request.tools ?? [],
    request.webSearch ?? false,
    request.verbosity ?? null,
  ];
  return createHash("sha256").update(JSON.stringify(settings)).digest("base64url");
}
