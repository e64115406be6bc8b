/**
 * The form of the model's answer: a strict schema with a key for each question. Questions of the same form share a definition, so that the
 * largest request fits into one schema: 400 questions of every length need fewer than 1,000 properties, of 5,000 that one may have.
 * Codex sorts an object's keys; those here have their order when sorted.
 */
import type { JsonObject } from "../../runtime/types.js";
import { decisionLimits } from "./request-schema.js";

/** Up to so many values the model states the probability of each; of more, of the likeliest. */
export const maxStatedValues = 32;
export const maxLikeliest = 8;

/** In place of an answer. */
export const refused = "refused";

/** `q001` to `q400`, by the question's place. */
export const questionKeys: readonly string[] = Array.from(
  { length: decisionLimits.maxQuestions },
  (_, index) => `q${String(index + 1).padStart(3, "0")}`,
);

/**
 * Of a question's values, as the model reads and writes them: `v00` to `v31`, since a key that is a bare number has an order of its own in
 * JavaScript; of more values, where they are no keys, their numbers.
 */
export function listKeys(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) =>
    count > maxStatedValues ? String(index) : `v${String(index).padStart(2, "0")}`,
  );
}

/** What the form of an answer depends on. */
export interface AskedForm {
  readonly type: "predicate" | "choice" | "score";
  /** Of its values or levels. */
  readonly count: number;
}

const probability = { type: "number", minimum: 0, maximum: 1 };

export function buildOutputSchema(asked: readonly AskedForm[]): JsonObject {
  const forms = new Map<string, JsonObject>();
  const properties: [string, JsonObject][] = asked.map((question, index) => {
    const name = nameForm(question);
    if (!forms.has(name)) forms.set(name, orRefused(describeForm(question)));
    return [questionKeys[index] ?? "", { $ref: `#/$defs/${name}` }];
  });
  return {
    ...closedObject(properties),
    $defs: {
      ...Object.fromEntries(forms),
      refusal: { type: "string", enum: [refused] },
    },
  };
}

function nameForm({ type, count }: AskedForm): string {
  if (type === "predicate") return "predicate";
  return count > maxStatedValues ? "likeliest" : `each_of_${count}`;
}

function describeForm({ type, count }: AskedForm): JsonObject {
  if (type === "predicate") return probability;
  if (count <= maxStatedValues) return closedObject(listKeys(count).map((key) => [key, probability]));
  const value = { type: "integer", minimum: 0, maximum: decisionLimits.maxChoices - 1 };
  const items = closedObject([
    ["value", value],
    ["probability", probability],
  ]);
  return { type: "array", items, minItems: 1, maxItems: maxLikeliest };
}

function orRefused(form: JsonObject): JsonObject {
  return { anyOf: [form, { $ref: "#/$defs/refusal" }] };
}

function closedObject(properties: readonly (readonly [string, JsonObject])[]): JsonObject {
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    required: properties.map(([name]) => name),
    additionalProperties: false,
  };
}
