import { z } from "zod";
import { itemsQuery, readQuery } from "../../stored-response-queries.js";
import { bodyErrors, chainErrors, turnErrors } from "../error-answers.js";
import { chatExamples, responseExamples } from "../examples.js";
import { type Parameter, type PathItem, schemaRef } from "../types.js";
import { describeOperation, jsonAnswer, turnHeaders } from "./operation.js";

const tag = "Responses";

const streamed =
  "server-sent events, each named by its type and with one ResponseEvent as its `data`. The last is `response.completed`, `response.incomplete` or `response.failed`, or `error` where a background response is followed and its events cannot be had any more; a silent stream gets comment lines.";

const responseOrEvents = {
  "application/json": { schema: schemaRef("Response") },
  "text/event-stream": { schema: schemaRef("ResponseEvent") },
};

const responseId: Parameter = {
  name: "response_id",
  in: "path",
  required: true,
  description: "Id of a stored response.",
  schema: { type: "string" },
};

function queryParameter(query: z.ZodObject, name: string, description: string): Parameter {
  // As a query it is a text; what it is read as is what callers mean.
  const { properties } = z.toJSONSchema(query, { io: "output" });
  const schema = properties?.[name];
  return { name, in: "query", description, schema: typeof schema === "object" ? { ...schema } : {} };
}

export const responsePaths: Readonly<Record<string, PathItem>> = {
  "/v1/responses": {
    post: describeOperation({
      id: "createResponse",
      tag,
      summary: "One response",
      description:
        "A turn on a native thread of this service's. It cannot run a command or read a file. A call of one of your functions ends the response; continue with `previous_response_id` and a `function_call_output` for every call.",
      parameters: turnHeaders,
      body: { schema: schemaRef("ResponseRequest"), examples: responseExamples },
      answers: {
        200: { description: `The response; with \`stream: true\` ${streamed}`, content: responseOrEvents },
      },
      errors: [...turnErrors, ...chainErrors, "unsupported_responses_feature"],
    }),
  },
  "/v1/responses/compact": {
    post: describeOperation({
      id: "compactResponse",
      tag,
      summary: "Not implemented",
      answers: {},
      errors: [...bodyErrors, "not_implemented"],
    }),
  },
  "/v1/responses/{response_id}": {
    get: describeOperation({
      id: "getResponse",
      tag,
      summary: "A stored response, or the events of a background one",
      parameters: [
        responseId,
        queryParameter(readQuery, "stream", "True attaches to the stream of a background response."),
        queryParameter(
          readQuery,
          "starting_after",
          "With `stream`: the number of the last event already seen.",
        ),
      ],
      answers: {
        200: { description: `The response; with \`stream=true\` ${streamed}`, content: responseOrEvents },
      },
      errors: ["response_not_found", "continuation_expired"],
    }),
    delete: describeOperation({
      id: "deleteResponse",
      tag,
      summary: "Forgets a stored response",
      parameters: [responseId],
      answers: { 200: { description: "It is forgotten.", content: jsonAnswer("DeletedResponse") } },
      errors: ["response_not_found"],
    }),
  },
  "/v1/responses/{response_id}/cancel": {
    post: describeOperation({
      id: "cancelResponse",
      tag,
      summary: "Ends a background response",
      parameters: [responseId],
      answers: {
        200: { description: "The response, which has ended.", content: jsonAnswer("Response") },
      },
      errors: [...bodyErrors, "response_not_found"],
    }),
  },
  "/v1/responses/{response_id}/input_items": {
    get: describeOperation({
      id: "listInputItems",
      tag,
      summary: "What a response was asked with",
      parameters: [
        responseId,
        queryParameter(itemsQuery, "limit", "Items of a page."),
        queryParameter(itemsQuery, "order", "By place in the input."),
        queryParameter(itemsQuery, "after", "Id of the last item of the page before."),
      ],
      answers: { 200: { description: "A page of items.", content: jsonAnswer("InputItemPage") } },
      errors: ["response_not_found"],
    }),
  },
};

export const chatCompletionPaths: Readonly<Record<string, PathItem>> = {
  "/v1/chat/completions": {
    post: describeOperation({
      id: "createChatCompletion",
      tag: "Chat completions",
      summary: "One chat completion",
      description:
        "Each request brings its whole history; nothing is stored. A request that ends in a `tool` message for each call of the answer before, and resends the rest as it was, goes on with the native turn that waits.",
      parameters: turnHeaders,
      body: { schema: schemaRef("ChatCompletionRequest"), examples: chatExamples },
      answers: {
        200: {
          description:
            "The completion; with `stream: true` chunks as server-sent events, each `data` one ChatStreamPart, and `data: [DONE]`. A fault after the first chunk is an Error in place of further chunks, without `[DONE]`; one after whitespace that was asked for, an Error as the body.",
          content: {
            "application/json": { schema: { anyOf: [schemaRef("ChatCompletion"), schemaRef("Error")] } },
            "text/event-stream": { schema: schemaRef("ChatStreamPart") },
          },
        },
      },
      errors: [...turnErrors, "unsupported_chat_completions_feature", "continuation_account_mismatch"],
    }),
  },
};
