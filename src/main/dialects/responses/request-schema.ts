/** The body of `POST /v1/responses`, checked at the edge. Keys we do not read pass through and are reported later. */
import { z } from "zod";
import { itemTraits } from "../../../workers/contract/item-chunk.js";
import { findTooDeep, formatPath } from "../../../workers/contract/json.js";
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
import { type JsonBody, type ListReader, parseBody, readElements, readList } from "../requests/parse-body.js";
import { fieldError } from "../requests/schema-fault.js";
import { textFormat } from "../structured-output/text-format.js";
import { MergedTools, readFoundTools } from "../tools/brought-tools.js";
import { CallPairs, takeStep } from "../tools/call-pairs.js";
import { type Tool, toolChoice, tools } from "../tools/tool-schemas.js";
import { unsupportedFeature } from "./errors.js";
import { type InputItem, inputItem, toHistoryItem } from "./input-items.js";

const flag = z.boolean().nullish();
const text = z.string().nullish();
const number = z.number().nullish();
const count = z.int().nullish();

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
  // No native place, but checked as OpenAI does: most are echoed.
  max_output_tokens: count,
  max_tool_calls: z.int().min(0).nullish(),
  frequency_penalty: number,
  presence_penalty: number,
  temperature: number,
  top_p: number,
  top_logprobs: count,
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
  return withInput(request, Array.isArray(input) ? readList(input, readerFor(request)) : input);
}

/** A body that came over the wire, however long. Throws what `parseResponsesRequest` throws, and `invalid_json`. */
export async function readResponsesRequest(
  body: JsonBody,
  pace: Pace,
  mayBeEmpty = false,
): Promise<ResponsesRequest> {
  const request = parseBody(head, body.value, itemCheck.unsupported);
  const { input } = request;
  if (!Array.isArray(input)) return withInput(request, input, mayBeEmpty);
  const read = await readElements(body, itemCheck.field, pace, readerFor(request));
  return withInput(request, read, mayBeEmpty);
}

function readerFor({ previous_response_id: previous }: Head): InputReader {
  return new InputReader(isGiven(previous));
}

/** A response that continues another may have nothing to add. */
function withInput(request: Head, input: ResponsesRequest["input"], mayBeEmpty = false): ResponsesRequest {
  if (!isGiven(request.previous_response_id) && !mayBeEmpty) {
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
  /** Those that items bring. */
  readonly tools: readonly Tool[];
  /** Those that searches among the caller's tools found. */
  readonly foundTools: readonly Tool[];
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
class InputReader implements ListReader<ReadInput> {
  readonly #continues: boolean;
  readonly #packer = new ItemPacker();
  readonly #pairs = new CallPairs();
  readonly #ignored = new Set<string>();
  readonly #tools = new MergedTools();
  readonly #foundTools = new MergedTools();
  #hasReferences = false;

  /** @param continues whether items of other responses come before these. */
  constructor(continues: boolean) {
    this.#continues = continues;
  }

  /** @throws CodexNativeApiError for the first fault, as `checkElement` and `CallPairs` say it */
  take(value: unknown, index: number): void {
    const checked = checkElement(value, index, itemCheck);
    noteItemOptions(checked, this.#ignored);
    const param = `input[${index}].tools`;
    if (checked.type === "additional_tools") this.#takeTools(checked.tools, param);
    if (checked.type === "tool_search_output")
      this.#merge(this.#foundTools, readFoundTools(checked.tools), param);
    const item = toHistoryItem(checked);
    const traits = this.#packer.add(item);
    this.#hasReferences ||= (traits & itemTraits.reference) !== 0;
    if (!this.#isPart) takeStep(this.#pairs, item, index);
  }

  /** @throws CodexNativeApiError for a call that nothing answers */
  finish(): ReadInput {
    if (!this.#isPart) this.#pairs.finish();
    return {
      items: this.#packer.finish(),
      tools: this.#tools.all,
      foundTools: this.#foundTools.all,
      ignored: [...this.#ignored],
      isPaired: !this.#isPart,
    };
  }

  #takeTools(more: readonly Tool[], param: string): void {
    this.#merge(this.#tools, more, param);
    for (const [index, tool] of more.entries()) {
      if (tool.type === "tool_search") this.#ignored.add(`${param}[${index}]`);
    }
  }

  /** @throws CodexNativeApiError for one tool too many. */
  #merge(tools: MergedTools, more: readonly Tool[], param: string): void {
    const { maxTools } = requestLimits;
    tools.add(more);
    if (tools.count > maxTools) {
      throw fieldError(param, `brings more than ${maxTools} tools together with the items before it`);
    }
  }

  /** What these items refer to or continue may hold the calls that they answer. */
  get #isPart(): boolean {
    return this.#continues || this.#hasReferences;
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
