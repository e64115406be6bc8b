/** The body of `POST /v1/decisions`, checked at the edge. Keys that we do not read pass through and are reported later. */
import { z } from "zod";
import { isJsonObject, measureJsonBytes } from "../../../workers/contract/json.js";
import { findImageFault } from "../attachments/input-image.js";
import { boundedList, longText, metadata, priority, requestLimits } from "../requests/fields.js";
import { addFault } from "../requests/schema-fault.js";

/** OpenAI's bounds, but for the parts of one question's instructions, which are ours. */
export const decisionLimits = {
  maxQuestions: 400,
  minChoices: 2,
  maxChoices: 255,
  minLevels: 2,
  maxLevels: 10,
  /** In all of a request. */
  maxImages: 128,
  maxInstructionParts: 1_000,
  maxSafetyIdentifierChars: 128,
  /** Of one part. */
  maxJsonLevels: 32,
  maxJsonValues: 10_000,
  maxJsonBytes: 262_144,
} as const;

const breakpoint = z.looseObject({ mode: z.literal("explicit") }).nullish();

const inputText = z.looseObject({
  type: z.literal("input_text"),
  text: longText,
  prompt_cache_breakpoint: breakpoint,
});

const inputImage = z
  .looseObject({
    type: z.literal("input_image"),
    image_url: z.string(),
    detail: z.enum(["auto", "low", "high", "original"]).nullish(),
    prompt_cache_breakpoint: breakpoint,
  })
  .superRefine(({ image_url: url }, context) => {
    const fault = findImageFault(url);
    if (fault !== null) addFault(context, ["image_url"], fault);
  });

const inputJson = z
  .looseObject({
    type: z.literal("input_json"),
    // Not copied: what zod copies loses a key such as `__proto__`.
    data: z.unknown().describe("An object, or a list of objects that is not empty."),
  })
  .superRefine(({ data }, context) => {
    const message = findJsonFault(data);
    if (message !== null) addFault(context, ["data"], { message, unsupported: false });
  });

function findJsonFault(data: unknown): string | null {
  const isList = Array.isArray(data) && data.length > 0 && data.every(isJsonObject);
  if (!isList && !isJsonObject(data)) return "must be an object, or a list of objects that is not empty";
  const { maxJsonLevels, maxJsonValues, maxJsonBytes } = decisionLimits;
  const rest: { readonly value: unknown; readonly level: number }[] = [{ value: data, level: 1 }];
  let values = 0;
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { value, level } = next;
    values += 1;
    if (values > maxJsonValues) return `holds more than ${maxJsonValues} values`;
    if (typeof value !== "object" || value === null) continue;
    if (level > maxJsonLevels) return `is nested deeper than ${maxJsonLevels} levels`;
    for (const entry of Object.values(value)) rest.push({ value: entry, level: level + 1 });
  }
  return measureJsonBytes(data) > maxJsonBytes ? `is longer than ${maxJsonBytes} bytes of JSON` : null;
}

export const decisionPart = z.discriminatedUnion("type", [inputText, inputImage, inputJson]);

const name = longText.nullish();
const description = longText.nullish();

const instructions = z.union([longText, boundedList(decisionPart, decisionLimits.maxInstructionParts)], {
  error: "must be a string or an array",
});

const predicate = z.looseObject({ type: z.literal("predicate"), name, instructions });

const choice = z
  .looseObject({
    type: z.literal("choice"),
    name,
    instructions,
    choices: boundedList(
      z.looseObject({ value: z.union([longText, z.boolean()]), description }),
      decisionLimits.maxChoices,
      decisionLimits.minChoices,
    ),
  })
  .superRefine(({ choices }, context) => {
    const seen = new Set<string | boolean>();
    for (const [index, { value }] of choices.entries()) {
      if (seen.has(value)) {
        const message = "is another choice's value, too";
        addFault(context, ["choices", index, "value"], { message, unsupported: false });
        return;
      }
      seen.add(value);
    }
  });

const score = z.looseObject({
  type: z.literal("score"),
  name,
  instructions,
  levels: boundedList(
    z.looseObject({ label: longText, description }),
    decisionLimits.maxLevels,
    decisionLimits.minLevels,
  ),
});

export const decisionQuestion = z.discriminatedUnion("type", [predicate, choice, score]);

export type CheckedQuestion = z.infer<typeof decisionQuestion>;

const status = z.enum(["in_progress", "completed", "incomplete"]).nullish();
const callId = z.string().min(1).max(requestLimits.maxTextChars);
const callFields = {
  call_id: callId,
  name: longText,
  id: longText.nullish(),
  namespace: longText.nullish(),
  status,
};

const outputPart = z.discriminatedUnion("type", [inputText, inputImage]);
const outputFields = {
  call_id: callId,
  output: z.union([longText, z.array(outputPart)], { error: "must be a string or an array" }),
  id: longText.nullish(),
  status,
};

/** By role: each has parts of its own. */
const messageOf = <Role extends string, Part extends z.ZodType>(role: Role, part: Part) =>
  z.looseObject({
    type: z.literal("message").nullish(),
    role: z.literal(role),
    content: z.union([longText, z.array(part)], { error: "must be a string or an array" }),
  });

const assistantPart = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("output_text"), text: longText }),
  z.looseObject({ type: z.literal("refusal"), refusal: longText }),
]);

const textOnly = z.discriminatedUnion("type", [inputText]);

const message = z.discriminatedUnion("role", [
  messageOf("user", decisionPart),
  messageOf("developer", textOnly),
  messageOf("system", textOnly),
  messageOf("assistant", assistantPart).extend({ phase: z.enum(["commentary", "final_answer"]).nullish() }),
]);

const call = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("function_call"), ...callFields, arguments: longText }),
  z.looseObject({ type: z.literal("function_call_output"), ...outputFields }),
  z.looseObject({ type: z.literal("custom_tool_call"), ...callFields, input: longText }),
  z.looseObject({ type: z.literal("custom_tool_call_output"), ...outputFields }),
]);

/** One element of `input`. */
export type DecisionInputItem = z.infer<typeof message> | z.infer<typeof call>;

type DecisionMessage = z.infer<typeof message>;

export function isMessage(item: DecisionInputItem): item is DecisionMessage {
  return item.type === undefined || item.type === null || item.type === "message";
}

/** Picks the schema by what the element says that it is. */
export function inputItemSchema(value: unknown): z.ZodType<DecisionInputItem> {
  const type = isJsonObject(value) ? (value.type ?? "message") : null;
  return type === "message" ? message : call;
}

/** For the OpenAPI document. */
export const decisionInputItem = z.union([message, call]);

/** Read by the OpenAPI document too. */
export const decisionBody = z.looseObject({
  model: z.string().min(1).nullish(),
  input: z.union([longText, z.array(decisionInputItem)], { error: "must be a string or an array" }),
  questions: z.array(decisionQuestion).min(1).max(decisionLimits.maxQuestions),
  safety_identifier: z.string().max(decisionLimits.maxSafetyIdentifierChars).nullish(),
  prompt_cache_key: longText.nullish(),
  prompt_cache_options: z
    .looseObject({
      mode: z.enum(["implicit", "explicit"]).nullish(),
      ttl: z.literal("30m").nullish(),
    })
    .nullish(),
  stream: z.boolean().nullish(),
  metadata: metadata.nullish(),
  priority: priority.nullish(),
});

/** The body but for its lists, which are checked element by element. */
export const decisionHead = decisionBody.extend({
  input: z.union([longText, z.array(z.unknown())], { error: "must be a string or an array" }),
  questions: z.array(z.unknown(), { error: "must be an array" }),
});

export type DecisionHead = z.infer<typeof decisionHead>;
