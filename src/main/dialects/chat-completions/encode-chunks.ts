import type { ChatStreamPart } from "./wire-types.js";

/** What follows the last chunk of a stream that ended well. */
export const endOfStream = "data: [DONE]\n\n";

export function encodeChunks(parts: readonly ChatStreamPart[]): string {
  let text = "";
  for (const part of parts) text += `data: ${JSON.stringify(part)}\n\n`;
  return text;
}
