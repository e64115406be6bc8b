/** Requests that work as they are. A test sends them. */
import type { Example } from "./types.js";

type Examples = Readonly<Record<string, Example>>;

const answerSchema = {
  type: "object",
  properties: { intent: { type: "string", enum: ["question", "order", "complaint"] } },
  required: ["intent"],
  additionalProperties: false,
};

const weather = {
  name: "get_weather",
  description: "The weather of a city now.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

export const responseExamples: Examples = {
  text: {
    summary: "A text",
    value: { instructions: "Answer with one word.", input: "What is the capital of France?" },
  },
  structured: {
    summary: "Structured output",
    value: {
      input: [{ role: "user", content: "Where is my parcel?" }],
      text: { format: { type: "json_schema", name: "intent", schema: answerSchema, strict: true } },
      store: false,
    },
  },
  tools: {
    summary: "A function",
    value: { input: "What is the weather in Paris?", tools: [{ type: "function", ...weather }] },
  },
  streamed: {
    summary: "Streamed",
    value: { input: "Tell me a story.", stream: true, reasoning: { effort: "low", summary: "auto" } },
  },
};

export const chatExamples: Examples = {
  text: {
    summary: "A text",
    value: {
      messages: [
        { role: "developer", content: "Answer with one word." },
        { role: "user", content: "What is the capital of France?" },
      ],
    },
  },
  structured: {
    summary: "Structured output",
    value: {
      messages: [{ role: "user", content: "Where is my parcel?" }],
      response_format: {
        type: "json_schema",
        json_schema: { name: "intent", schema: answerSchema, strict: true },
      },
    },
  },
  tools: {
    summary: "A function",
    value: {
      messages: [{ role: "user", content: "What is the weather in Paris?" }],
      tools: [{ type: "function", function: weather }],
    },
  },
  streamed: {
    summary: "Streamed",
    value: {
      messages: [{ role: "user", content: "Tell me a story." }],
      stream: true,
      stream_options: { include_usage: true },
    },
  },
};
