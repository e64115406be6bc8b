/** What requests may hold: the schemas that the service itself checks bodies with, and what becomes of each parameter. */

import { isJsonObject } from "../../../workers/contract/json.js";
import { message } from "../../dialects/chat-completions/message-schemas.js";
import * as chatParameters from "../../dialects/chat-completions/parameters.js";
import { chatBody } from "../../dialects/chat-completions/request-schema.js";
import * as decisionParameters from "../../dialects/decisions/parameters.js";
import {
  decisionBody,
  decisionInputItem,
  decisionPart,
  decisionQuestion,
} from "../../dialects/decisions/request-schema.js";
import type { Schema } from "../../dialects/operation.js";
import type { Parameter, Parameters } from "../../dialects/requests/parameters.js";
import { knownItem, messagePart } from "../../dialects/responses/input-items.js";
import * as responsesParameters from "../../dialects/responses/parameters.js";
import { responsesBody } from "../../dialects/responses/request-schema.js";
import { tool } from "../../dialects/tools/tool-schemas.js";
import { nameVariants, propertiesOf, toJsonSchemas, toPascalCase } from "./json-schemas.js";

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
      ...nameVariants(decisionQuestion, (type) => `${toPascalCase(type)}Question`),
      DecisionInputItem: decisionInputItem,
      DecisionPart: decisionPart,
      DecisionRequest: decisionBody,
    },
    { io: "input" },
  );
  const {
    ResponseRequest: responses = {},
    ChatCompletionRequest: chat = {},
    DecisionRequest: decisions = {},
    ...parts
  } = schemas;
  return {
    ...allowShortForms(parts),
    ResponseRequest: describeParameters(responses, responsesParameters.parameters),
    ChatCompletionRequest: describeParameters(chat, chatParameters.parameters),
    DecisionRequest: describeParameters(decisions, decisionParameters.parameters),
  };
}

const ignored =
  "Ignored: Codex has no such setting. Listed in `native_api.ignored_parameters`, or refused where the configuration says so.";

/** A body's schema, with what the service does with each parameter. */
function describeParameters(body: Schema, parameters: Parameters): Schema {
  const own = propertiesOf(body);
  const described = supports.flatMap((support) =>
    Object.entries(parameters).filter(([, parameter]) => parameter.support === support),
  );
  const properties = described.map(([name, parameter]) => {
    const schema = own[name];
    return [name, { ...(isJsonObject(schema) && schema), ...describeParameter(parameter) }] as const;
  });
  return { ...body, properties: Object.fromEntries(properties) };
}

/** The order in which a body's parameters are described. */
const supports = ["mapped", "ignored", "refused"] as const;

function describeParameter(parameter: Parameter): Schema {
  switch (parameter.support) {
    case "mapped":
      return { description: parameter.note };
    case "ignored":
      return { description: ignored };
    case "refused":
      // Null counts as not given, so it is all that may be given.
      return { type: "null", description: `Refused: ${parameter.note}.` };
  }
}

/** Describes the short forms that are completed before the check: an item without a type, and a text in place of a message's parts. */
function allowShortForms(schemas: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> {
  const message = withoutType(schemas.InputMessage, "message");
  const properties = propertiesOf(message);
  const content = { anyOf: [{ type: "string" }, properties.content] };
  return {
    ...schemas,
    InputMessage: { ...message, properties: { ...properties, content } },
    InputItemReference: withoutType(schemas.InputItemReference, "item_reference"),
  };
}

function withoutType(schema: Schema = {}, type: string): Schema {
  const required = [schema.required].flat().filter((name) => name !== "type");
  return { ...schema, properties: { ...propertiesOf(schema), type: { enum: [type, null] } }, required };
}
