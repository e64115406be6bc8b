import { parseResponsesRequest } from "../../../src/main/dialects/responses/request-schema.js";
import { type ResponsesTurn, toResponsesTurn } from "../../../src/main/dialects/responses/request-to-turn.js";

/** The turn that a request with these fields becomes. */
export function turnOf(body: object, policy: "ignore" | "reject" = "ignore"): ResponsesTurn {
  return toResponsesTurn(parseResponsesRequest({ input: "hi", ...body }), policy);
}

/** The smallest image there is of its kind. */
export const tinyPng =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export function dataUrl(mediaType: string, content: string | Buffer): string {
  return `data:${mediaType};base64,${Buffer.from(content).toString("base64")}`;
}
