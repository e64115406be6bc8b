/**
 * Input items as they may reach the model: every role, call, output and reasoning item stays an item of its own. Only what
 * Codex cannot read is put into its longer official form: a message without `type`, and text in place of content parts.
 */
import { z } from "zod";
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";

const optionalText = z.string().nullish();

const imageSource = z.string().refine((url) => url.startsWith("data:"), {
  error: "must be a data URL: Codex does not fetch remote images, so send the image inline",
  params: { unsupported: true },
});

const inputText = z.looseObject({ type: z.literal("input_text"), text: z.string() });
const outputText = z.looseObject({ type: z.literal("output_text"), text: z.string() });
const refusal = z.looseObject({ type: z.literal("refusal"), refusal: z.string() });
const inputImage = z
  .looseObject({ type: z.literal("input_image"), image_url: imageSource.nullish(), file_id: optionalText })
  .refine((part) => typeof part.image_url === "string" || typeof part.file_id === "string", {
    error: "needs image_url or file_id",
  });

const contentPart = z.discriminatedUnion("type", [inputText, outputText, inputImage, refusal]);
const outputPart = z.discriminatedUnion("type", [inputText, inputImage]);
const callOutput = z.union([z.string(), z.array(outputPart)]);

const message = z.looseObject({
  type: z.literal("message"),
  role: z.enum(["user", "assistant", "system", "developer"]),
  content: z.array(contentPart),
});

const reasoning = z.looseObject({
  type: z.literal("reasoning"),
  summary: z.array(z.looseObject({ type: z.literal("summary_text"), text: z.string() })),
  content: z.array(z.looseObject({ type: z.string(), text: z.string() })).nullish(),
  encrypted_content: optionalText,
});

const functionCall = z.looseObject({
  type: z.literal("function_call"),
  call_id: z.string().min(1),
  name: z.string().min(1),
  arguments: z.string(),
});

const functionCallOutput = z.looseObject({
  type: z.literal("function_call_output"),
  call_id: z.string().min(1),
  output: callOutput,
});

const customToolCall = z.looseObject({
  type: z.literal("custom_tool_call"),
  call_id: z.string().min(1),
  name: z.string().min(1),
  input: z.string(),
});

const customToolCallOutput = z.looseObject({
  type: z.literal("custom_tool_call_output"),
  call_id: z.string().min(1),
  output: callOutput,
});

const webSearchCall = z.looseObject({ type: z.literal("web_search_call") });
const imageGenerationCall = z.looseObject({
  type: z.literal("image_generation_call"),
  status: z.string(),
  result: z.string(),
});
const compaction = z.looseObject({ type: z.literal("compaction"), encrypted_content: z.string() });

/**
 * The types of item Codex puts before the model. It takes any other without a word and drops it, so those are refused here
 * instead; `item_reference` among them, which only a store of items could resolve.
 */
const knownItem = z.discriminatedUnion("type", [
  message,
  functionCall,
  functionCallOutput,
  reasoning,
  webSearchCall,
  customToolCall,
  customToolCallOutput,
  imageGenerationCall,
  compaction,
]);

export const inputItem = z.preprocess(completeShortForms, knownItem);

export type InputItem = z.infer<typeof knownItem>;

/** One user message, which is what a plain string stands for. */
export function userMessage(text: string): JsonObject {
  return { type: "message", role: "user", content: [{ type: "input_text", text }] };
}

/** The item for the model's history. */
export function toHistoryItem(item: InputItem): JsonObject {
  if (item.type !== "message" || !item.content.some((part) => part.type === "refusal")) return item;
  // Codex has no refusal part; as the assistant's text the model still sees that it refused.
  const content = item.content.map((part) =>
    part.type === "refusal" ? { type: "output_text", text: part.refusal } : part,
  );
  return { ...item, content };
}

function completeShortForms(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  const typed =
    value.type === undefined || value.type === null ? { ...value, type: impliedType(value) } : value;
  if (typed.type !== "message" || typeof typed.content !== "string") return typed;
  const partType = typed.role === "assistant" ? "output_text" : "input_text";
  return { ...typed, content: [{ type: partType, text: typed.content }] };
}

/** Both forms that OpenAI lets callers write without a type. */
function impliedType(item: JsonObject): string {
  return "role" in item ? "message" : "item_reference";
}
