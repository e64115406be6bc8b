/** The operation of `POST /v1/chat/completions`. */
import { exampleFunction, exampleSchema, type Operation, schemaRef } from "../operation.js";

/** Each is sent by a test. */
const examples = {
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
        json_schema: { name: "intent", schema: exampleSchema, strict: true },
      },
    },
  },
  tools: {
    summary: "A function",
    value: {
      messages: [{ role: "user", content: "What is the weather in Paris?" }],
      tools: [{ type: "function", function: exampleFunction }],
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

export const createChatCompletion: Operation = {
  id: "createChatCompletion",
  tag: { name: "Chat completions", description: "The same turns in the older shape." },
  summary: "One chat completion",
  description:
    "Each request brings its whole history; nothing is stored. A request that ends in a `tool` message for each call of the answer before, and resends the rest unchanged, continues the native turn that waits.",
  runsTurn: true,
  body: { schema: schemaRef("ChatCompletionRequest"), examples },
  answers: {
    200: {
      description:
        "The completion; with `stream: true` chunks as server-sent events, each `data` one ChatStreamPart, and `data: [DONE]`. An error after the first chunk is an Error in place of further chunks, without `[DONE]`; an error after whitespace that the request asked for is an Error as the body.",
      content: {
        "application/json": { anyOf: [schemaRef("ChatCompletion"), schemaRef("Error")] },
        "text/event-stream": schemaRef("ChatStreamPart"),
      },
    },
  },
  errors: ["unsupported_chat_completions_feature", "continuation_account_mismatch"],
};
