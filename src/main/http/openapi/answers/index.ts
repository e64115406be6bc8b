/** What the service answers, by the names that the document gives it. */

import { z } from "zod";
import type { NamedSchemas } from "../json-schemas.js";
import { chatChunk, chatCompletion, chatStreamPart, completionUsage } from "./chat-completion.js";
import { apiError } from "./error.js";
import { health } from "./health.js";
import { nativeApi } from "./native-api.js";
import { deletedResponse, inputItemPage, response, responseUsage } from "./response.js";
import { responseEvent } from "./response-events.js";
import * as items from "./response-items.js";

export const model = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: z.number().describe("Always 0: Codex's catalog does not say."),
  owned_by: z.string(),
  native_api: nativeApi.extend({
    display_name: z.string(),
    description: z.string(),
    is_default: z.boolean(),
    default_reasoning_effort: z.string().nullable(),
    supported_reasoning_efforts: z.array(z.string()),
    input_modalities: z.array(z.string()),
    service_tiers: z.array(z.string()),
  }),
});

export const modelList = z.object({
  object: z.literal("list"),
  data: z.array(model),
  native_api: nativeApi,
});

export const answerSchemas = {
  ChatCompletion: chatCompletion,
  ChatCompletionChunk: chatChunk,
  ChatStreamPart: chatStreamPart,
  CompletionUsage: completionUsage,
  DeletedResponse: deletedResponse,
  Error: apiError,
  FunctionCallItem: items.functionCallItem,
  Health: health,
  InputItemPage: inputItemPage,
  MessageItem: items.messageItem,
  Model: model,
  ModelList: modelList,
  NativeApi: nativeApi,
  OutputItem: items.outputItem,
  PassedOnItem: items.passedOnItem,
  ReasoningItem: items.reasoningItem,
  Response: response,
  ResponseEvent: responseEvent,
  ResponseUsage: responseUsage,
  WebSearchCallItem: items.webSearchCallItem,
} satisfies NamedSchemas;
