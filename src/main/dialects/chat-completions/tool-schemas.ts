/** Tools and the choice among them, as chat completions declare them. Types that are not here are refused by name. */
import { z } from "zod";
import { boundedList, longText, requestLimits } from "../requests/fields.js";
import { addFault } from "../requests/schema-fault.js";
import {
  duplicateName,
  duplicatesIn,
  grammarSyntax,
  place,
  toolName,
  webSearchTypes,
} from "../tools/tool-schemas.js";

const functionTool = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({
    name: toolName,
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
    strict: z.boolean().nullish(),
  }),
});

const customTool = z.looseObject({
  type: z.literal("custom"),
  custom: z.looseObject({
    name: toolName,
    description: z.string().nullish(),
    format: z
      .discriminatedUnion("type", [
        z.looseObject({ type: z.literal("text") }),
        z.looseObject({
          type: z.literal("grammar"),
          grammar: z.looseObject({ syntax: grammarSyntax, definition: longText.min(1) }),
        }),
      ])
      .nullish(),
  }),
});

export const tools = boundedList(
  z.discriminatedUnion("type", [functionTool, customTool]),
  requestLimits.maxTools,
).superRefine((list, context) => {
  const names = list.map((tool) => (tool.type === "function" ? tool.function.name : tool.custom.name));
  for (const index of duplicatesIn(names))
    addFault(context, [index, list[index]?.type ?? "", "name"], duplicateName);
});

const chosenFunction = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({ name: z.string() }),
});

const chosenCustom = z.looseObject({
  type: z.literal("custom"),
  custom: z.looseObject({ name: z.string() }),
});

const allowedTools = z.looseObject({
  type: z.literal("allowed_tools"),
  allowed_tools: z.looseObject({
    mode: z.enum(["auto", "required"]).nullish(),
    tools: boundedList(
      z.discriminatedUnion("type", [chosenFunction, chosenCustom]),
      requestLimits.maxTools,
      1,
    ),
  }),
});

export const toolChoice = z.union([
  z.enum(["none", "auto", "required", ...webSearchTypes]),
  z.discriminatedUnion("type", [chosenFunction, chosenCustom, allowedTools]),
]);

export const webSearchOptions = z.looseObject({
  search_context_size: z.enum(["low", "medium", "high"]).nullish(),
  user_location: z
    .looseObject({ type: z.literal("approximate"), approximate: z.looseObject(place) })
    .nullish(),
});

export type ChatTool = z.infer<typeof functionTool> | z.infer<typeof customTool>;
export type ChatChosenTool = z.infer<typeof chosenFunction> | z.infer<typeof chosenCustom>;
export type ChatToolChoice = z.infer<typeof toolChoice>;
export type ChatWebSearchOptions = z.infer<typeof webSearchOptions>;
