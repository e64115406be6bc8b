/** The dialects that this service speaks, a line each. */
import { decodeChat } from "./chat-completions/decode.js";
import { encodeChat } from "./chat-completions/encode.js";
import { chatErrors } from "./chat-completions/errors.js";
import type { Dialect } from "./dialect.js";
import { decodeResponses } from "./responses/decode.js";
import { encodeResponse } from "./responses/encode.js";
import { responsesErrors } from "./responses/errors.js";

export const responses: Dialect = {
  route: "/v1/responses",
  continuesBy: "response_id",
  decode: decodeResponses,
  encode: encodeResponse,
  errors: responsesErrors,
};

const chatCompletions: Dialect = {
  route: "/v1/chat/completions",
  continuesBy: "history",
  decode: decodeChat,
  encode: encodeChat,
  errors: chatErrors,
};

export const dialects: readonly Dialect[] = [responses, chatCompletions];
