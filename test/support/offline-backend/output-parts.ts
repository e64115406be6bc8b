import type { JsonObject } from "./json.js";

/**
 * What a scripted response is made of: one part is one output item. A delta carries its JSON ready made, so
 * that a reply shared by a thousand streams is serialised once.
 */
export interface TextPart {
  readonly kind: "text";
  readonly text: string;
  readonly deltasJson: readonly string[];
  readonly firstDelayMs: number;
  readonly delayMs: number;
  readonly annotations: readonly UrlCitation[];
  readonly phase: string | undefined;
}

/** A message whose content is a refusal. */
export interface RefusalPart {
  readonly kind: "refusal";
  readonly text: string;
}

/** A reasoning item. */
export interface ReasoningPart {
  readonly kind: "reasoning";
  /** One entry a summary part, each cut into its deltas. */
  readonly summary: readonly (readonly string[])[];
  readonly content: readonly string[];
  readonly encryptedContent: string | undefined;
  readonly delayMs: number;
}

/** A call of one of the request's functions. */
export interface FunctionCallPart {
  readonly kind: "function_call";
  readonly name: string;
  readonly namespace: string | undefined;
  readonly arguments: string;
  /** Made up for each request when undefined. */
  readonly callId: string | undefined;
  readonly delayMs: number;
}

/** A search that the backend has made by itself. */
export interface WebSearchPart {
  readonly kind: "web_search";
  readonly query: string;
  readonly sources: readonly string[];
  readonly delayMs: number;
}

/** Any other output item, sent as it is with `added` and `done` and nothing between. */
export interface RawItemPart {
  readonly kind: "raw";
  readonly item: JsonObject & { readonly type: string };
  readonly delayMs: number;
}

/** One output item of a scripted response. */
export type OutputPart =
  | TextPart
  | RefusalPart
  | ReasoningPart
  | FunctionCallPart
  | WebSearchPart
  | RawItemPart;

/** A citation in a text; the indices are of its characters. */
export interface UrlCitation {
  readonly url: string;
  readonly title: string;
  readonly startIndex: number;
  readonly endIndex: number;
}
