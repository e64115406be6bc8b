/** The body of `POST /v1/chat/completions`, checked at the edge. Keys we do not read pass through and are reported later. */
import { z } from "zod";
import type { Pace } from "../../../workers/contract/pace.js";
import { type ItemList, ItemPacker } from "../../history/item-list.js";
import { checkElement, type ElementCheck } from "../requests/check-element.js";
import { boundedList, metadata, priority, requestLimits } from "../requests/fields.js";
import { unreadKeys } from "../requests/parameters.js";
import { type JsonBody, type ListReader, parseBody, readElements, readList } from "../requests/parse-body.js";
import { fieldError } from "../requests/schema-fault.js";
import { schemaFormatFields } from "../structured-output/text-format.js";
import { CallPairs } from "../tools/call-pairs.js";
import { unsupportedFeature } from "./errors.js";
import { type CallTypes, toHistoryItems } from "./history-items.js";
import { type ChatMessage, message, messages } from "./message-schemas.js";
import { toolChoice, tools, webSearchOptions } from "./tool-schemas.js";

const flag = z.boolean().nullish();
const effort = z.string().min(1).max(64).nullish();

/** OpenAI's number. The length is ours: what may be the beginning of one is held back. */
const maxStops = 4;
const maxStopChars = 1024;

/** Each is a turn: OpenAI's 128 would be one request's share of all that may run. */
const maxChoices = 8;

const stopSequence = z.string().min(1).max(maxStopChars);

const responseFormat = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({ type: z.literal("json_schema"), json_schema: z.looseObject(schemaFormatFields) }),
]);

/** Read by the OpenAPI document too. */
export const chatBody = z.looseObject({
  messages,
  model: z.string().min(1).nullish(),
  stream: flag,
  stream_options: z.looseObject({ include_usage: flag, include_obfuscation: flag }).nullish(),
  store: flag,
  metadata: metadata.nullish(),
  reasoning_effort: effort,
  // Not OpenAI's in this API: clients of others that are compatible with it send the effort as responses do.
  reasoning: z.looseObject({ effort }).nullish(),
  verbosity: z.enum(["low", "medium", "high"]).nullish(),
  service_tier: z.string().min(1).max(64).nullish(),
  response_format: responseFormat.nullish(),
  tools: tools.nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: flag,
  priority: priority.nullish(),
  web_search_options: webSearchOptions.nullish(),
  n: z.int().min(1).max(maxChoices).nullish(),
  stop: z.union([stopSequence, boundedList(stopSequence, maxStops)]).nullish(),
  modalities: boundedList(z.string(), requestLimits.maxModalities).nullish(),
});

/** The body but for its messages, which are checked one by one. */
const head = chatBody.extend({ messages: z.array(z.unknown()) });

/** For its type: a body whose messages were read. */
const read = chatBody.extend({ messages: z.custom<ReadMessages>() });

export type ChatRequest = z.infer<typeof read>;

/**
 * A body that a host composed. Works on without a pause.
 *
 * @throws CodexNativeApiError `invalid_request`, or `unsupported_chat_completions_feature` for a role or a type of part, call or
 * tool that has no mapping; `param` is the path of the field.
 */
export function parseChatRequest(body: unknown): ChatRequest {
  const request = parseBody(head, body, messageCheck.unsupported);
  return withMessages(request, readList(request.messages, new MessageReader()));
}

/** A body that came over the wire, however long. Throws what `parseChatRequest` throws, and `invalid_json`. */
export async function readChatRequest(body: JsonBody, pace: Pace): Promise<ChatRequest> {
  const request = parseBody(head, body.value, messageCheck.unsupported);
  return withMessages(request, await readElements(body, messageCheck.field, pace, new MessageReader()));
}

function withMessages(request: z.infer<typeof head>, messages: ReadMessages): ChatRequest {
  if (messages.items.length === 0) throw fieldError("messages", "holds no messages");
  return { ...request, messages };
}

/** The messages of a request, checked, as packed items of the model's history. */
interface ReadMessages {
  readonly items: ItemList;
  /** Names of what they ask for and Codex has no place for. */
  readonly ignored: readonly string[];
}

const messageCheck: ElementCheck<ChatMessage> = {
  schema: message,
  field: "messages",
  unsupported: unsupportedFeature,
};

/** Checks a request's messages one after another, and keeps of each no more than its items' JSON. */
class MessageReader implements ListReader<ReadMessages> {
  readonly #packer = new ItemPacker();
  readonly #pairs = new CallPairs();
  readonly #ignored = new Set<string>();
  readonly #callTypes: CallTypes = new Map();

  /** @throws CodexNativeApiError for the first fault, as `checkElement` and `CallPairs` say it */
  take(value: unknown, index: number): void {
    const checked = checkElement(value, index, messageCheck);
    takeSteps(this.#pairs, checked, index);
    noteMessageOptions(checked, this.#ignored);
    for (const item of toHistoryItems(checked, this.#callTypes)) this.#packer.add(item);
  }

  /** @throws CodexNativeApiError for a call that nothing answers */
  finish(): ReadMessages {
    this.#pairs.finish();
    return { items: this.#packer.finish(), ignored: [...this.#ignored] };
  }
}

/** Tells the pairs of a history's calls what a message has of them. */
function takeSteps(pairs: CallPairs, message: ChatMessage, index: number): void {
  if (message.role === "assistant") {
    for (const [at, call] of (message.tool_calls ?? []).entries()) {
      const param = `messages[${index}].tool_calls[${at}].id`;
      pairs.take({ step: "call", callId: call.id, kind: call.type, param });
    }
  } else if (message.role === "tool") {
    const param = `messages[${index}].tool_call_id`;
    // A tool message does not say what it answers.
    pairs.take({ step: "output", callId: message.tool_call_id, kind: null, param });
  }
}

/** Read, or part of an answer of this service's that its caller sends back whole. */
const messageKeys: readonly string[] = [
  "role",
  "content",
  "refusal",
  "tool_calls",
  "tool_call_id",
  "annotations",
  "reasoning_content",
  // Laid on answers by the official client.
  "parsed",
];

/** Beyond so many different names the rest is not listed: each message may bring some of its own. */
const maxNames = 100;

/** Adds what a message asks for, without its place: there may be thousands. */
function noteMessageOptions(message: ChatMessage, names: Set<string>): void {
  const note = (name: string) => {
    if (names.size < maxNames) names.add(name);
  };
  unreadKeys("messages[]", message, messageKeys).forEach(note);
  const { content } = message;
  if (!Array.isArray(content)) return;
  for (const part of content) {
    const keys = part.type === "image_url" ? imagePartKeys : textPartKeys;
    unreadKeys("messages[].content[]", part, keys).forEach(note);
    const detail = part.type === "image_url" ? part.image_url.detail : null;
    // Codex lets the model see every image in its original size.
    if (detail === "low" || detail === "high") note("messages[].content[].image_url.detail");
  }
}

const textPartKeys = ["type", "text", "refusal"];
const imagePartKeys = ["type", "image_url"];
