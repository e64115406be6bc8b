/**
 * Input items as they may reach the model: every role, call, output and reasoning item stays an item of its own. Only what
 * Codex cannot read is put into its longer official form: a message without `type`, and text in place of content parts.
 */
import { z } from "zod";
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import { inlineFile } from "../attachments/input-file.js";
import { findImageFault } from "../attachments/input-image.js";
import { longText } from "../requests/fields.js";
import { addFault } from "../requests/schema-fault.js";
import { tools } from "../tools/tool-schemas.js";

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
    if (typeof fileId === "string") {
      const message = "is not supported: this server stores no files, so send the image inline";
      addFault(context, ["file_id"], { message, unsupported: true });
      return;
    }
    const fault =
      typeof url === "string" ? findImageFault(url) : { message: "is missing", unsupported: false };
    if (fault !== null) addFault(context, ["image_url"], fault);
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
    if (typeof inlined === "string") return { type: "input_text" as const, text: inlined };
    addFault(context, [inlined.field], inlined);
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
  content: z.array(messagePart, { error: "must be a string or an array" }),
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

const outputFields = { call_id: callId, output: callOutput };
const functionCallOutput = z.looseObject({ type: z.literal("function_call_output"), ...outputFields });

const customToolCall = z.looseObject({
  type: z.literal("custom_tool_call"),
  call_id: callId,
  name: z.string().min(1),
  input: longText,
});

const customToolCallOutput = z.looseObject({ type: z.literal("custom_tool_call_output"), ...outputFields });

const localShellCall = z.looseObject({
  type: z.literal("local_shell_call"),
  call_id: callId,
  action: z.looseObject({ type: z.literal("exec"), command: z.array(longText) }),
});

const localShellCallOutput = z.looseObject({
  type: z.literal("local_shell_call_output"),
  call_id: callId,
  output: longText,
});

const shellCall = z.looseObject({
  type: z.literal("shell_call"),
  call_id: callId,
  action: z.looseObject({ commands: z.array(longText) }),
});

const shellCallOutput = z.looseObject({
  type: z.literal("shell_call_output"),
  call_id: callId,
  output: z.array(z.looseObject({ stdout: longText, stderr: longText, outcome: z.looseObject({}) })),
});

const applyPatchCall = z.looseObject({
  type: z.literal("apply_patch_call"),
  call_id: callId,
  operation: z.looseObject({
    type: z.enum(["create_file", "update_file", "delete_file"]),
    path: longText,
    diff: longText.nullish(),
  }),
});

const applyPatchCallOutput = z.looseObject({
  type: z.literal("apply_patch_call_output"),
  call_id: callId,
  status: z.enum(["completed", "failed"]),
  output: longText.nullish(),
});

/** Tools that a conversation brought in its course: the model is offered them with those of the request. */
const additionalTools = z.looseObject({ type: z.literal("additional_tools"), tools });

const toolSearchCall = z.looseObject({ type: z.literal("tool_search_call") });
const toolSearchOutput = z.looseObject({
  type: z.literal("tool_search_output"),
  tools: z.array(z.looseObject({})),
});
const contextCompaction = z.looseObject({
  type: z.literal("context_compaction"),
  encrypted_content: longText.nullish(),
});
const agentMessage = z.looseObject({ type: z.literal("agent_message"), content: z.array(z.looseObject({})) });

const webSearchCall = z.looseObject({ type: z.literal("web_search_call") });
const imageGenerationCall = z.looseObject({
  type: z.literal("image_generation_call"),
  status: z.string(),
  result: z.string(),
});
const compaction = z.looseObject({ type: z.literal("compaction"), encrypted_content: longText });

/** Stands for an item of a stored response: the keeper of those puts the item in its place before the turn. */
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
  localShellCall,
  localShellCallOutput,
  shellCall,
  shellCallOutput,
  applyPatchCall,
  applyPatchCallOutput,
  additionalTools,
  toolSearchCall,
  toolSearchOutput,
  imageGenerationCall,
  compaction,
  contextCompaction,
  agentMessage,
  itemReference,
]);

export const inputItem = z.preprocess(completeShortForms, knownItem);

export type InputItem = z.infer<typeof knownItem>;

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
  // The official types have the call's id under this name alone.
  if (typed.type === "local_shell_call_output") return { ...typed, call_id: typed.call_id ?? typed.id };
  if (typed.type === "item_reference") return { type: typed.type, id: typed.id };
  if (typed.type === "tool_search_call" || typed.type === "tool_search_output") return completeSearch(typed);
  if (typed.type !== "message" || typeof typed.content !== "string") return typed;
  const partType = typed.role === "assistant" ? "output_text" : "input_text";
  return { ...typed, content: [{ type: partType, text: typed.content }] };
}

/** Codex requires what OpenAI lets callers leave out. Searches of the caller's have an id to answer them by. */
function completeSearch(item: JsonObject): JsonObject {
  const execution = typeof item.call_id === "string" ? "client" : "server";
  return { ...item, status: item.status ?? "completed", execution: item.execution ?? execution };
}

/** Both forms that OpenAI lets callers write without a type. */
function impliedType(item: JsonObject): string {
  return "role" in item ? "message" : "item_reference";
}
