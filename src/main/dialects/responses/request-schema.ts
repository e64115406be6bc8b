/** The body of `POST /v1/responses`, checked at the edge. Keys we do not read pass through and are reported later. */
import { z } from "zod";
import { itemTraits } from "../../../workers/contract/item-chunk.js";
import { findTooDeep } from "../../../workers/contract/json-depth.js";
import type { Pace } from "../../../workers/contract/pace.js";
import { CodexNativeApiError } from "../../errors.js";
import { type ItemList, ItemPacker } from "../../history/item-list.js";
import { checkElement, type ElementCheck } from "../requests/check-element.js";
import {
  boundedList,
  isGiven,
  longText,
  maxBodyLevels,
  metadata,
  priority,
  requestLimits,
} from "../requests/fields.js";
import { type JsonBody, parseBody, readElements } from "../requests/parse-body.js";
import { formatPath } from "../requests/schema-fault.js";
import { textFormat } from "../structured-output/text-format.js";
import { CallPairs, takeStep } from "../tools/call-pairs.js";
import { toolChoice, tools } from "../tools/tool-schemas.js";
import { unsupportedFeature } from "./errors.js";
import { type InputItem, inputItem, toHistoryItem } from "./input-items.js";

const flag = z.boolean().nullish();
const text = z.string().nullish();
const number = z.number().nullish();

const summary = z.enum(["auto", "concise", "detailed"]).nullish();

/** Read by the OpenAPI document too. */
export const responsesBody = z.looseObject({
  input: z.union([longText, z.array(inputItem)]).nullish(),
  instructions: longText.nullish(),
  model: z.string().min(1).nullish(),
  stream: flag,
  stream_options: z.looseObject({ include_obfuscation: flag }).nullish(),
  store: flag,
  background: flag,
  previous_response_id: z.string().min(1).nullish(),
  include: boundedList(z.string(), requestLimits.maxIncludes).nullish(),
  metadata: metadata.nullish(),
  reasoning: z
    .looseObject({ effort: z.string().min(1).max(64).nullish(), summary, generate_summary: summary })
    .nullish(),
  text: z
    .looseObject({ format: textFormat.nullish(), verbosity: z.enum(["low", "medium", "high"]).nullish() })
    .nullish(),
  service_tier: z.string().min(1).max(64).nullish(),
  tools: tools.nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: flag,
  priority: priority.nullish(),
  // No native place, but echoed: so their types matter.
  max_output_tokens: number,
  max_tool_calls: number,
  temperature: number,
  top_p: number,
  top_logprobs: number,
  truncation: z.enum(["auto", "disabled"]).nullish(),
  user: text,
  safety_identifier: text,
  prompt_cache_key: text,
  prompt_cache_retention: text,
});

/** The body but for its items, which are checked one by one. */
const head = responsesBody.extend({ input: z.union([longText, z.array(z.unknown())]).nullish() });

type Head = z.infer<typeof head>;

/** For its type: a body whose items were read. */
const read = responsesBody.extend({ input: z.custom<string | ReadInput>().nullish() });

export type ResponsesRequest = z.infer<typeof read>;

/**
 * A body that a host composed. Works on without a pause.
 *
 * @throws CodexNativeApiError `invalid_request`, or `unsupported_responses_feature` for a type of item, content or tool that
 * has no mapping; `param` is the path of the field.
 */
export function parseResponsesRequest(body: unknown): ResponsesRequest {
  refuseDeepNesting(body);
  const request = parseBody(head, body, itemCheck.unsupported);
  const { input } = request;
  if (!Array.isArray(input)) return withInput(request, input);
  const reader = new InputReader(isGiven(request.previous_response_id));
  for (const [index, value] of input.entries()) reader.take(value, index);
  return withInput(request, reader.finish());
}

/** A body that came over the wire, however long. Throws what `parseResponsesRequest` throws, and `invalid_json`. */
export async function readResponsesRequest(body: JsonBody, pace: Pace): Promise<ResponsesRequest> {
  const request = parseBody(head, body.value, itemCheck.unsupported);
  const { input } = request;
  if (!Array.isArray(input)) return withInput(request, input);
  const reader = new InputReader(isGiven(request.previous_response_id));
  await pace.breathe();
  await readElements(body, itemCheck.field, pace, (value, index) => reader.take(value, index));
  return withInput(request, reader.finish());
}

/** A response that continues another may have nothing to add. */
function withInput(request: Head, input: ResponsesRequest["input"]): ResponsesRequest {
  if (!isGiven(request.previous_response_id)) {
    if (!isGiven(input)) throw inputFault("'input' is missing.");
    if (typeof input !== "string" && input.items.length === 0) throw inputFault("'input' holds no items.");
  }
  return { ...request, input };
}

function refuseDeepNesting(body: unknown): void {
  const path = findTooDeep(body, maxBodyLevels);
  if (path === null) return;
  throw new CodexNativeApiError(
    "invalid_request",
    `The request body is nested deeper than ${maxBodyLevels} levels.`,
    { param: formatPath(path) },
  );
}

function inputFault(message: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", message, { param: "input" });
}

/** The items of a request, checked and packed. */
interface ReadInput {
  readonly items: ItemList;
  /** Names of what they ask for and Codex has no place for. */
  readonly ignored: readonly string[];
  /** Whether every call is known to have its output, and every output its call; else that shows when the history is whole. */
  readonly isPaired: boolean;
}

const itemCheck: ElementCheck<InputItem> = {
  schema: inputItem,
  field: "input",
  unsupported: unsupportedFeature,
};

/** Checks a request's items one after another, and keeps of each no more than its JSON. */
class InputReader {
  readonly #continues: boolean;
  readonly #packer = new ItemPacker();
  readonly #pairs = new CallPairs();
  readonly #ignored = new Set<string>();
  #hasReferences = false;

  /** @param continues whether items of other responses come before these. */
  constructor(continues: boolean) {
    this.#continues = continues;
  }

  /** @throws CodexNativeApiError for the first fault, as `checkElement` and `CallPairs` say it */
  take(value: unknown, index: number): void {
    const checked = checkElement(value, index, itemCheck);
    noteItemOptions(checked, this.#ignored);
    const item = toHistoryItem(checked);
    const traits = this.#packer.add(item);
    this.#hasReferences ||= (traits & itemTraits.reference) !== 0;
    if (!this.#isPart) takeStep(this.#pairs, item, index);
    this.#refuse(this.#pairs.fault);
  }

  /** @throws CodexNativeApiError for a call that nothing answers */
  finish(): ReadInput {
    if (!this.#isPart) this.#refuse(this.#pairs.finish());
    return { items: this.#packer.finish(), ignored: [...this.#ignored], isPaired: !this.#isPart };
  }

  /** What these items refer to or continue may hold the calls that they answer. */
  get #isPart(): boolean {
    return this.#continues || this.#hasReferences;
  }

  #refuse(fault: Error | null): void {
    if (fault !== null) throw fault;
  }
}

/** Adds what an item asks for, without its place: there may be thousands. */
function noteItemOptions(item: InputItem, names: Set<string>): void {
  if (isGiven(item.caller)) names.add("input[].caller");
  const [parts, field] = partsOf(item);
  for (const part of parts) {
    // Codex lets the model see every image in its original size.
    if (part.detail === "low" || part.detail === "high") names.add(`input[].${field}[].detail`);
    if (isGiven(part.prompt_cache_breakpoint)) names.add(`input[].${field}[].prompt_cache_breakpoint`);
  }
}

interface PartOptions {
  readonly detail?: unknown;
  readonly prompt_cache_breakpoint?: unknown;
}

function partsOf(item: { readonly [key: string]: unknown }): [readonly PartOptions[], string] {
  if (Array.isArray(item.content)) return [item.content, "content"];
  return [Array.isArray(item.output) ? item.output : [], "output"];
}
