/** Tools and the choice among them, as chat completions declare them. Types that are not here are refused by name. */
import { z } from "zod";
import { boundedList, requestLimits } from "../requests/fields.js";
import { toolName } from "../tools/tool-schemas.js";

const text = z.string().nullish();

const functionTool = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({
    name: toolName,
    description: text,
    parameters: z.record(z.string(), z.unknown()).nullish(),
    strict: z.boolean().nullish(),
  }),
});

export const tools = boundedList(
  z.discriminatedUnion("type", [functionTool]),
  requestLimits.maxTools,
).superRefine((list, context) => {
  const names = new Set<string>();
  for (const [index, { function: declared }] of list.entries()) {
    if (names.has(declared.name)) {
      context.addIssue({
        code: "custom",
        path: [index, "function", "name"],
        message: "is the name of an earlier tool: names must be unique",
      });
    }
    names.add(declared.name);
  }
});

const chosenFunction = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({ name: z.string() }),
});

const allowedTools = z.looseObject({
  type: z.literal("allowed_tools"),
  allowed_tools: z.looseObject({
    mode: z.enum(["auto", "required"]),
    tools: boundedList(z.discriminatedUnion("type", [chosenFunction]), requestLimits.maxTools, 1),
  }),
});

export const toolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.discriminatedUnion("type", [chosenFunction, allowedTools]),
]);

export const webSearchOptions = z.looseObject({
  search_context_size: z.enum(["low", "medium", "high"]).nullish(),
  user_location: z
    .looseObject({
      type: z.literal("approximate"),
      approximate: z.looseObject({ city: text, country: text, region: text, timezone: text }),
    })
    .nullish(),
});

export type ChatTool = z.infer<typeof functionTool>;
export type ChatToolChoice = z.infer<typeof toolChoice>;
export type ChatWebSearchOptions = z.infer<typeof webSearchOptions>;
