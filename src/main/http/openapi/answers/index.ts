/** What the service answers, by the names that the document gives it. */
import type { NamedSchemas } from "../json-schemas.js";
import { chatChunk, chatCompletion, chatStreamPart, completionUsage } from "./chat-completion.js";
import { apiError } from "./error.js";
import { health } from "./health.js";
import { model, modelList } from "./models.js";
import { nativeApi } from "./native-api.js";
import { deletedResponse, inputItemPage, response, responseUsage } from "./response.js";
import { responseEvent } from "./response-events.js";
import * as items from "./response-items.js";

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
