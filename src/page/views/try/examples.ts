/** What the form begins with, and what its examples are. They are in English, as most prompts are, whatever the page's language. */
import type { JsonField, TryForm } from "./try-form.js";

const indented = (value: unknown): string => JSON.stringify(value, null, 2);

export const exampleJson: Readonly<Record<JsonField, string>> = {
  schema: indented({
    type: "object",
    properties: { city: { type: "string" }, population: { type: "integer" } },
    required: ["city", "population"],
    additionalProperties: false,
  }),
  tools: indented([
    {
      type: "function",
      name: "weather",
      description: "The weather in a city",
      strict: true,
      parameters: {
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
        additionalProperties: false,
      },
    },
  ]),
  questions: indented([
    { type: "predicate", name: "refund", instructions: "The customer asks for money back." },
    {
      type: "choice",
      name: "team",
      instructions: "Which team should handle this?",
      choices: [{ value: "billing" }, { value: "support" }],
    },
  ]),
};

export const exampleForm: TryForm = {
  dialect: "responses",
  model: "",
  effort: "",
  instructions: "",
  input: "Say hello in three languages.",
  schema: "",
  tools: "",
  questions: exampleJson.questions,
  isStreamed: true,
};

/** In its place for a dialect, where the person has not written anything else. */
export const decisionInput = "I was charged twice, and I want one payment back. Today!";
