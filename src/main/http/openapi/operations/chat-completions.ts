import { turnErrors } from "../error-sets.js";
import { chatExamples } from "../examples.js";
import { type PathItem, schemaRef } from "../types.js";
import { describeOperation, turnHeaders } from "./operation.js";

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
