/** Tools and the choice among them, as OpenAI declares them. Types that are not here are refused by name. */
import { z } from "zod";
import { boundedList, requestLimits } from "../requests/fields.js";

const text = z.string().nullish();

export const toolName = z
  .string()
  .min(1)
  .max(requestLimits.maxToolNameChars)
  .regex(/^[a-zA-Z0-9_-]+$/, { error: "may have letters, digits, '_' and '-' only" });

const functionTool = z.looseObject({
  type: z.literal("function"),
  name: toolName,
  description: text,
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});

/** All names under which OpenAI offers or offered its web search. */
export const webSearchTypes = [
  "web_search",
  "web_search_2025_08_26",
  "web_search_preview",
  "web_search_preview_2025_03_11",
] as const;

const userLocation = z.looseObject({
  type: z.literal("approximate").nullish(),
  city: text,
  country: text,
  region: text,
  timezone: text,
});

const webSearchTool = z.looseObject({
  type: z.enum(webSearchTypes),
  filters: z
    .looseObject({ allowed_domains: boundedList(z.string().min(1), requestLimits.maxDomains).nullish() })
    .nullish(),
  search_context_size: z.enum(["low", "medium", "high"]).nullish(),
  user_location: userLocation.nullish(),
});

export const tool = z.discriminatedUnion("type", [functionTool, webSearchTool]);

export const tools = boundedList(tool, requestLimits.maxTools).superRefine((list, context) => {
  const names = new Set<string>();
  for (const [index, entry] of list.entries()) {
    if (entry.type !== "function") continue;
    if (names.has(entry.name)) {
      context.addIssue({
        code: "custom",
        path: [index, "name"],
        message: "is the name of an earlier tool: names must be unique",
      });
    }
    names.add(entry.name);
  }
});

/** A tool as a choice names it. */
const chosenTool = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("function"), name: z.string() }),
  z.looseObject({ type: z.enum(webSearchTypes) }),
]);

const allowedTools = z.looseObject({
  type: z.literal("allowed_tools"),
  mode: z.enum(["auto", "required"]),
  tools: boundedList(chosenTool, requestLimits.maxTools, 1),
});

export const toolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.discriminatedUnion("type", [...chosenTool.options, allowedTools]),
]);

export type Tool = z.infer<typeof tool>;
export type FunctionToolDeclaration = z.infer<typeof functionTool>;
export type WebSearchDeclaration = z.infer<typeof webSearchTool>;
export type ChosenTool = z.infer<typeof chosenTool>;
export type ToolChoice = z.infer<typeof toolChoice>;

export function isFunctionTool(entry: Tool): entry is FunctionToolDeclaration {
  return entry.type === "function";
}

export function isWebSearchTool(entry: Tool): entry is WebSearchDeclaration {
  return entry.type !== "function";
}
