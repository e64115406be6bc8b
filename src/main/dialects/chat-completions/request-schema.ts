/** The body of `POST /v1/chat/completions`, checked at the edge. Keys we do not read pass through and are reported later. */
import { z } from "zod";
import type { Pace } from "../../../workers/contract/pace.js";
import { type ItemList, ItemPacker } from "../../history/item-list.js";
import { checkElement, type ElementCheck } from "../requests/check-element.js";
import { boundedList, metadata, priority, requestLimits, unreadKeys } from "../requests/fields.js";
import { type JsonBody, parseBody, readElements } from "../requests/parse-body.js";
import { CallPairs } from "../tools/call-pairs.js";
import { invalid, unsupportedFeature } from "./errors.js";
import { type CallTypes, toHistoryItems } from "./history-items.js";
import { type ChatMessage, message, messages } from "./message-schemas.js";
import { toolChoice, tools, webSearchOptions } from "./tool-schemas.js";

const flag = z.boolean().nullish();

const responseFormat = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({
    type: z.literal("json_schema"),
    json_schema: z.looseObject({
      name: z
        .string()
        .min(1)
        .max(requestLimits.maxFormatNameChars)
        .regex(/^[a-zA-Z0-9_-]+$/),
      schema: z.record(z.string(), z.unknown()),
      strict: z.boolean().nullish(),
      description: z.string().nullish(),
    }),
  }),
]);

export type ResponseFormat = z.infer<typeof responseFormat>;

/** Read by the OpenAPI document too. */
export const chatBody = z.looseObject({
  messages,
  model: z.string().min(1).nullish(),
  stream: flag,
  stream_options: z.looseObject({ include_usage: flag, include_obfuscation: flag }).nullish(),
  store: flag,
  metadata: metadata.nullish(),
  reasoning_effort: z.string().min(1).max(64).nullish(),
  verbosity: z.enum(["low", "medium", "high"]).nullish(),
  service_tier: z.string().min(1).max(64).nullish(),
  response_format: responseFormat.nullish(),
  tools: tools.nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: flag,
  priority: priority.nullish(),
  web_search_options: webSearchOptions.nullish(),
  n: z.int().min(1).nullish(),
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
  const reader = new MessageReader();
  for (const [index, value] of request.messages.entries()) reader.take(value, index);
  return withMessages(request, reader.finish());
}

/** A body that came over the wire, however long. Throws what `parseChatRequest` throws, and `invalid_json`. */
export async function readChatRequest(body: JsonBody, pace: Pace): Promise<ChatRequest> {
  const request = parseBody(head, body.value, messageCheck.unsupported);
  const reader = new MessageReader();
  await pace.breathe();
  await readElements(body, messageCheck.field, pace, (value, index) => reader.take(value, index));
  return withMessages(request, reader.finish());
}

function withMessages(request: z.infer<typeof head>, messages: ReadMessages): ChatRequest {
  if (messages.items.length === 0) throw invalid("messages", "holds no messages");
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
class MessageReader {
  readonly #packer = new ItemPacker();
  readonly #pairs = new CallPairs();
  readonly #ignored = new Set<string>();
  readonly #callTypes: CallTypes = new Map();

  /** @throws CodexNativeApiError for the first fault, as `checkElement` and `CallPairs` say it */
  take(value: unknown, index: number): void {
    const checked = checkElement(value, index, messageCheck);
    takeSteps(this.#pairs, checked, index);
    this.#refuse(this.#pairs.fault);
    noteMessageOptions(checked, this.#ignored);
    for (const item of toHistoryItems(checked, this.#callTypes)) this.#packer.add(item);
  }

  /** @throws CodexNativeApiError for a call that nothing answers */
  finish(): ReadMessages {
    this.#refuse(this.#pairs.finish());
    return { items: this.#packer.finish(), ignored: [...this.#ignored] };
  }

  #refuse(fault: Error | null): void {
    if (fault !== null) throw fault;
  }
}

/** Tells the pairs of a history's calls what a message has of them. */
function takeSteps(pairs: CallPairs, message: ChatMessage, index: number): void {
  if (message.role === "assistant") {
    for (const [at, call] of (message.tool_calls ?? []).entries()) {
      const kind = call.type === "custom" ? "custom tool" : "function";
      pairs.take({ step: "call", callId: call.id, kind, param: `messages[${index}].tool_calls[${at}].id` });
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
    if (part.type !== "image_url") unreadKeys("messages[].content[]", part, partKeys).forEach(note);
    else {
      unreadKeys("messages[].content[]", part, ["type", "image_url"]).forEach(note);
      const { detail } = part.image_url;
      // Codex lets the model see every image in its original size.
      if (detail === "low" || detail === "high") note("messages[].content[].image_url.detail");
    }
  }
}

const partKeys = ["type", "text", "refusal"];
