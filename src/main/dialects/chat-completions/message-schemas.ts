/** Messages, checked. Roles, parts and calls that are not here are refused by name. */
import { z } from "zod";
import { longText } from "../requests/long-text.js";
import { isGiven } from "../requests/parameter-fate.js";
import { assistantPart, inputPart, instructionPart } from "./message-parts.js";

const callId = z.string().min(1);

const instructions = z.union([longText, z.array(instructionPart).min(1)]);
const input = z.union([longText, z.array(inputPart).min(1)]);

const functionCall = z.looseObject({
  id: callId,
  type: z.literal("function"),
  function: z.looseObject({ name: z.string().min(1), arguments: longText }),
});

/** Nobody is offered such tools here, but a history may hold their calls. */
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
      context.addIssue({ code: "custom", path: [field], message: text, params: { unsupported } });
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
