/** What requests may hold: the schemas that the service itself checks bodies with, and what they leave unsaid. */
import { message } from "../../../dialects/chat-completions/message-schemas.js";
import * as chatParameters from "../../../dialects/chat-completions/parameters.js";
import { chatBody } from "../../../dialects/chat-completions/request-schema.js";
import { messagePart } from "../../../dialects/responses/content-parts.js";
import { knownItem } from "../../../dialects/responses/input-items.js";
import * as responsesParameters from "../../../dialects/responses/parameters.js";
import { responsesBody } from "../../../dialects/responses/request-schema.js";
import { tool } from "../../../dialects/tools/tool-schemas.js";
import { nameVariants, toJsonSchemas, toPascalCase } from "../json-schemas.js";
import type { Schema } from "../types.js";
import { describeParameters } from "./describe-parameters.js";
import { chatNotes, responsesNotes } from "./parameter-notes.js";
import { allowShortForms } from "./short-forms.js";

export function describeRequestBodies(): Readonly<Record<string, Schema>> {
  const schemas = toJsonSchemas(
    {
      ...nameVariants(knownItem, (type) => `Input${toPascalCase(type)}`),
      ...nameVariants(messagePart, (type) => `${toPascalCase(type)}Content`),
      ...nameVariants(tool, (type) => `${toPascalCase(type)}Tool`),
      ...nameVariants(message, (role) => `Chat${toPascalCase(role)}Message`),
      InputItem: knownItem,
      ChatMessage: message,
      ResponseRequest: responsesBody,
      ChatCompletionRequest: chatBody,
    },
    { io: "input" },
  );
  const { ResponseRequest: responses = {}, ChatCompletionRequest: chat = {}, ...parts } = schemas;
  return {
    ...allowShortForms(parts),
    ResponseRequest: describeParameters(responses, { ...responsesParameters, notes: responsesNotes }),
    ChatCompletionRequest: describeParameters(chat, { ...chatParameters, notes: chatNotes }),
  };
}
