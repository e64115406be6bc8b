/** Messages and their parts, checked. What is not here is refused by name. Files of text become text on the way. */
import { z } from "zod";
import { inlineFile } from "../attachments/input-file.js";
import { findImageFault } from "../attachments/input-image.js";
import { isGiven, longText } from "../requests/fields.js";
import { addFault } from "../requests/schema-fault.js";

const textPart = z.looseObject({ type: z.literal("text"), text: longText });
const refusalPart = z.looseObject({ type: z.literal("refusal"), refusal: longText });

const imagePart = z
  .looseObject({
    type: z.literal("image_url"),
    image_url: z.looseObject({
      url: z.string(),
      detail: z.enum(["auto", "low", "high"]).nullish(),
    }),
  })
  .superRefine(({ image_url: { url } }, context) => {
    const fault = findImageFault(url);
    if (fault !== null) addFault(context, ["image_url", "url"], fault);
  });

const filePart = z
  .looseObject({
    type: z.literal("file"),
    file: z.looseObject({
      file_data: z.string().nullish(),
      file_id: z.string().nullish(),
      filename: z.string().nullish(),
    }),
  })
  .transform(({ file }, context) => {
    const { file_data, file_id, filename } = file;
    const inlined = inlineFile({ file_data, file_id, filename });
    if (typeof inlined === "string") return { type: "text" as const, text: inlined };
    addFault(context, ["file", inlined.field], inlined);
    return z.NEVER;
  });

/** Of instructions, which OpenAI takes as text only. */
const instructionPart = z.discriminatedUnion("type", [textPart]);

/** What a user, or a function, has to say. */
const inputPart = z.discriminatedUnion("type", [textPart, imagePart, filePart]);

const assistantPart = z.discriminatedUnion("type", [textPart, refusalPart]);

export type InputPart = z.infer<typeof inputPart>;
export type AssistantPart = z.infer<typeof assistantPart>;

const callId = z.string().min(1);

const instructions = z.union([longText, z.array(instructionPart).min(1)]);
const input = z.union([longText, z.array(inputPart).min(1)]);

const functionCall = z.looseObject({
  id: callId,
  type: z.literal("function"),
  function: z.looseObject({ name: z.string().min(1), arguments: longText }),
});

const customCall = z.looseObject({
  id: callId,
  type: z.literal("custom"),
  custom: z.looseObject({ name: z.string().min(1), input: longText }),
});

const toolCall = z.discriminatedUnion("type", [functionCall, customCall]);

const assistant = z
  .looseObject({
    role: z.literal("assistant"),
    content: z.union([longText, z.array(assistantPart)]).nullish(),
    refusal: longText.nullish(),
    tool_calls: z.array(toolCall).nullish(),
  })
  .superRefine((message, context) => {
    const refuse = (field: string, text: string, unsupported: boolean) =>
      addFault(context, [field], { message: text, unsupported });
    if (isGiven(message.audio)) refuse("audio", "audio is not supported", true);
    if (isGiven(message.function_call)) {
      refuse("function_call", "is deprecated and not supported: use 'tool_calls'", true);
    }
    const says = isGiven(message.content) || isGiven(message.refusal);
    if (!says && (message.tool_calls ?? []).length === 0) {
      refuse("content", "is missing: only a message with 'tool_calls' may have none", false);
    }
  });

export const message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.literal("system"), content: instructions }),
  z.looseObject({ role: z.literal("developer"), content: instructions }),
  z.looseObject({ role: z.literal("user"), content: input }),
  assistant,
  z.looseObject({ role: z.literal("tool"), tool_call_id: callId, content: input }),
]);

export const messages = z.array(message).min(1, { error: "holds no messages" });

export type ChatMessage = z.infer<typeof message>;
export type AssistantMessage = z.infer<typeof assistant>;
export type ToolCall = z.infer<typeof toolCall>;
