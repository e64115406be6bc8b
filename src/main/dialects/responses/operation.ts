/** The operations of `/v1/responses`. */
import {
  exampleFunction,
  exampleSchema,
  type Operation,
  type OperationAnswer,
  schemaRef,
} from "../operation.js";

export const tag = { name: "Responses", description: "OpenAI's Responses API." };

const streamed =
  "server-sent events, each named by its type and with one ResponseEvent as its `data`. The last is `response.completed`, `response.incomplete` or `response.failed`. It is `error` where a background response is followed and its events are no longer available. After the other three follows `data: [DONE]`, unless `http.streamDone` is off. A silent stream gets comment lines.";

export function responseOrEvents(streamParameter: string): OperationAnswer {
  return {
    description: `The response; with \`${streamParameter}\` ${streamed}`,
    content: {
      "application/json": schemaRef("Response"),
      "text/event-stream": schemaRef("ResponseEvent"),
    },
  };
}

/** Each is sent by a test. */
const examples = {
  text: {
    summary: "A text",
    value: {
      instructions: "Answer with one word.",
      input: "What is the capital of France?",
    },
  },
  structured: {
    summary: "Structured output",
    value: {
      input: [{ role: "user", content: "Where is my parcel?" }],
      text: { format: { type: "json_schema", name: "intent", schema: exampleSchema, strict: true } },
      store: false,
    },
  },
  tools: {
    summary: "A function",
    value: {
      input: "What is the weather in Paris?",
      tools: [{ type: "function", ...exampleFunction }],
    },
  },
  streamed: {
    summary: "Streamed",
    value: {
      input: "Tell me a story.",
      stream: true,
      reasoning: { effort: "low", summary: "auto" },
    },
  },
};

export const createResponse: Operation = {
  id: "createResponse",
  tag,
  summary: "One response",
  description:
    "Runs a turn on a native thread of this service. The turn cannot run a command or read a file. A call of one of your functions ends the response; continue with `previous_response_id` and a `function_call_output` for every call.",
  runsTurn: true,
  body: { schema: schemaRef("ResponseRequest"), examples },
  answers: { 200: responseOrEvents("stream: true") },
  errors: [
    "continuation_not_found",
    "continuation_expired",
    "continuation_provider_mismatch",
    "continuation_account_mismatch",
    "response_in_progress",
    "unsupported_responses_feature",
  ],
};

export const connectToResponses: Operation = {
  id: "connectToResponses",
  tag,
  summary: "A WebSocket for many responses",
  description:
    "The handshake of a WebSocket (RFC 6455, version 13), which OpenAPI cannot describe: answered with 101, or with an error as any request. Each message is an object with `type: response.create` and the fields of a ResponseRequest; the events of its stream come back as messages. See the section WebSocket of the documentation.",
  answers: {},
  errors: ["upgrade_required", "queue_full"],
};
