import { type ResponsesTurn, toResponsesTurn } from "../../../src/main/dialects/responses/decode.js";
import { parseResponsesRequest } from "../../../src/main/dialects/responses/request-schema.js";
import type { JsonObject } from "../../../src/workers/contract/json.js";

/** A turn with its items as values. */
export type TurnShown = Omit<ResponsesTurn, "request"> & {
  readonly request: Omit<ResponsesTurn["request"], "items"> & { readonly items: readonly JsonObject[] };
};

/** The turn that a request with these fields becomes. */
export function turnOf(body: object, policy: "ignore" | "reject" = "ignore"): TurnShown {
  const turn = toResponsesTurn(parseResponsesRequest({ input: "hi", ...body }), policy);
  return { ...turn, request: { ...turn.request, items: [...turn.request.items] } };
}

/** The smallest image there is of its kind. */
export const tinyPng =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export function dataUrl(mediaType: string, content: string | Buffer): string {
  return `data:${mediaType};base64,${Buffer.from(content).toString("base64")}`;
}
