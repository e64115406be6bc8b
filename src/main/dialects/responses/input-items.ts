/**
 * Input items as they may reach the model: every role, call, output and reasoning item stays an item of its own. Only what
 * Codex cannot read is put into its longer official form: a message without `type`, and text in place of content parts.
 */
import { z } from "zod";
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import { inlineFile } from "../attachments/input-file.js";
import { findImageFault } from "../attachments/input-image.js";
import { longText } from "../requests/fields.js";

const inputText = z.looseObject({ type: z.literal("input_text"), text: longText });
const outputText = z.looseObject({ type: z.literal("output_text"), text: longText });
const refusal = z.looseObject({ type: z.literal("refusal"), refusal: longText });

const inputImage = z
  .looseObject({
    type: z.literal("input_image"),
    image_url: z.string().nullish(),
    file_id: z.string().nullish(),
    detail: z.enum(["auto", "low", "high", "original"]).nullish(),
  })
  .superRefine(({ image_url: url, file_id: fileId }, context) => {
    const refuse = (field: string, message: string, unsupported: boolean) =>
      context.addIssue({ code: "custom", path: [field], message, params: { unsupported } });
    if (typeof fileId === "string") {
      refuse("file_id", "is not supported: this server stores no files, so send the image inline", true);
    } else if (typeof url !== "string") {
      refuse("image_url", "is missing", false);
    } else {
      const fault = findImageFault(url);
      if (fault !== null) refuse("image_url", fault.message, fault.unsupported);
    }
  });

const inputFile = z
  .looseObject({
    type: z.literal("input_file"),
    file_data: z.string().nullish(),
    file_id: z.string().nullish(),
    file_url: z.string().nullish(),
    filename: z.string().nullish(),
  })
  .transform((file, context) => {
    const inlined = inlineFile(file);
    if (inlined.ok) return { type: "input_text" as const, text: inlined.text };
    const { field, message, unsupported } = inlined;
    context.addIssue({ code: "custom", path: [field], message, params: { unsupported } });
    return z.NEVER;
  });

export const messagePart = z.discriminatedUnion("type", [
  inputText,
  outputText,
  inputImage,
  inputFile,
  refusal,
]);

export const outputPart = z.discriminatedUnion("type", [inputText, inputImage, inputFile]);

/** What a function answered. */
export const callOutput = z.union([longText, z.array(outputPart)]);

const callId = z.string().min(1);

const message = z.looseObject({
  type: z.literal("message"),
  role: z.enum(["user", "assistant", "system", "developer"]),
  content: z.array(messagePart),
  phase: z.enum(["commentary", "final_answer"]).nullish(),
});

const reasoning = z.looseObject({
  type: z.literal("reasoning"),
  summary: z.array(z.looseObject({ type: z.literal("summary_text"), text: longText })),
  content: z.array(z.looseObject({ type: z.literal("reasoning_text"), text: longText })).nullish(),
  encrypted_content: longText.nullish(),
});

const functionCall = z.looseObject({
  type: z.literal("function_call"),
  call_id: callId,
  name: z.string().min(1),
  arguments: longText,
});

const functionCallOutput = z.looseObject({
  type: z.literal("function_call_output"),
  call_id: callId,
  output: callOutput,
});

const customToolCall = z.looseObject({
  type: z.literal("custom_tool_call"),
  call_id: callId,
  name: z.string().min(1),
  input: longText,
});

const customToolCallOutput = z.looseObject({
  type: z.literal("custom_tool_call_output"),
  call_id: callId,
  output: callOutput,
});

const webSearchCall = z.looseObject({ type: z.literal("web_search_call") });
const imageGenerationCall = z.looseObject({
  type: z.literal("image_generation_call"),
  status: z.string(),
  result: z.string(),
});
const compaction = z.looseObject({ type: z.literal("compaction"), encrypted_content: longText });

/** Stands for an item of a stored response: whoever keeps those puts it in its place before the turn. */
const itemReference = z.looseObject({ type: z.literal("item_reference"), id: z.string().min(1) });

/**
 * The types of item Codex puts before the model, and the reference. Codex takes any other without a word and drops it, or a
 * part of it, so those are refused here instead.
 */
export const knownItem = z.discriminatedUnion("type", [
  message,
  functionCall,
  functionCallOutput,
  reasoning,
  webSearchCall,
  customToolCall,
  customToolCallOutput,
  imageGenerationCall,
  compaction,
  itemReference,
]);

export const inputItem = z.preprocess(completeShortForms, knownItem);

export type InputItem = z.infer<typeof knownItem>;

/** One user message, which is what a plain string stands for. */
export function userMessage(text: string): JsonObject {
  return { type: "message", role: "user", content: [{ type: "input_text", text }] };
}

/** Words of this service to the model, which the caller's own outrank by coming through `instructions`. */
export function developerMessage(text: string): JsonObject {
  return { type: "message", role: "developer", content: [{ type: "input_text", text }] };
}

/** The item for the model's history. */
export function toHistoryItem(item: InputItem): JsonObject {
  if (item.type === "message") return { ...item, content: item.content.map(toHistoryPart) };
  const isOutput = item.type === "function_call_output" || item.type === "custom_tool_call_output";
  if (!isOutput || typeof item.output === "string") return item;
  return { ...item, output: item.output.map(toHistoryPart) };
}

type Part = z.infer<typeof messagePart>;

function toHistoryPart(part: Part): JsonObject {
  // Codex has no refusal part; as the assistant's text the model still sees that it refused.
  if (part.type === "refusal") return { type: "output_text", text: part.refusal };
  if (part.type !== "input_image" || part.detail !== "low") return part;
  // A model that cannot see images in full has those of low detail left out by Codex (0.169), others ignore the wish.
  const { detail: _low, ...image } = part;
  return image;
}

function completeShortForms(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  const typed =
    value.type === undefined || value.type === null ? { ...value, type: impliedType(value) } : value;
  if (typed.type === "item_reference") return { type: typed.type, id: typed.id };
  if (typed.type !== "message" || typeof typed.content !== "string") return typed;
  const partType = typed.role === "assistant" ? "output_text" : "input_text";
  return { ...typed, content: [{ type: partType, text: typed.content }] };
}

/** Both forms that OpenAI lets callers write without a type. */
function impliedType(item: JsonObject): string {
  return "role" in item ? "message" : "item_reference";
}
