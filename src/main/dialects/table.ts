/** The dialects that this service speaks, a line each. */
import { encodeChatChoices } from "./chat-completions/choices.js";
import { decodeChat } from "./chat-completions/decode.js";
import { encodeChat } from "./chat-completions/encode.js";
import { chatErrors } from "./chat-completions/errors.js";
import { createChatCompletion } from "./chat-completions/operation.js";
import { decodeDecision } from "./decisions/decode.js";
import { encodeDecision } from "./decisions/encode.js";
import { decisionErrors } from "./decisions/errors.js";
import { createDecision } from "./decisions/operation.js";
import type { Dialect } from "./dialect.js";
import { decodeResponses } from "./responses/decode.js";
import { encodeResponse } from "./responses/encode.js";
import { responsesErrors } from "./responses/errors.js";
import { connectToResponses, createResponse } from "./responses/operation.js";

export const responses: Dialect = {
  route: "/v1/responses",
  continuesBy: "response_id",
  decode: decodeResponses,
  encode: encodeResponse,
  errors: responsesErrors,
  operation: createResponse,
  overWebSocket: connectToResponses,
};

const chatCompletions: Dialect = {
  route: "/v1/chat/completions",
  continuesBy: "history",
  decode: decodeChat,
  encode: encodeChat,
  encodeChoices: encodeChatChoices,
  errors: chatErrors,
  operation: createChatCompletion,
};

const decisions: Dialect = {
  route: "/v1/decisions",
  continuesBy: "history",
  decode: decodeDecision,
  encode: encodeDecision,
  errors: decisionErrors,
  operation: createDecision,
  decides: true,
};

export const dialects: readonly Dialect[] = [responses, chatCompletions, decisions];
