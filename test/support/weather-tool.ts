import type OpenAI from "openai";

/** A function of the caller's, as strict as OpenAI's clients make them. */
export const weatherTool: OpenAI.Responses.FunctionTool = {
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
};
