/** What requests may hold: the schemas that the service itself checks bodies with, and what they leave unsaid. */

import { message } from "../../dialects/chat-completions/message-schemas.js";
import * as chatParameters from "../../dialects/chat-completions/parameters.js";
import { chatBody } from "../../dialects/chat-completions/request-schema.js";
import type { ParameterFate } from "../../dialects/requests/fields.js";
import { knownItem, messagePart } from "../../dialects/responses/input-items.js";
import * as responsesParameters from "../../dialects/responses/parameters.js";
import { responsesBody } from "../../dialects/responses/request-schema.js";
import { tool } from "../../dialects/tools/tool-schemas.js";
import { nameVariants, toJsonSchemas, toPascalCase } from "./json-schemas.js";
import type { Schema } from "./types.js";

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

interface ParameterTable {
  readonly parameterFates: Readonly<Record<string, ParameterFate>>;
  /** Why a parameter is refused. */
  readonly refusals: Readonly<Record<string, string>>;
  /** What a parameter does, for those that have a place. */
  readonly notes: Readonly<Record<string, string>>;
}

const ignored =
  "Ignored: Codex has no place for it. Listed in `native_api.ignored_parameters`, or refused where the service is set to.";

/** A body's schema, with what becomes of each parameter. */
function describeParameters(body: Schema, table: ParameterTable): Schema {
  const own: Schema =
    typeof body.properties === "object" && body.properties !== null ? { ...body.properties } : {};
  const withFate = (fate: ParameterFate) =>
    Object.keys(table.parameterFates).filter((name) => table.parameterFates[name] === fate);
  const describe = (name: string, description: string | undefined) => [
    name,
    { ...asObject(own[name]), ...(description !== undefined && { description }) },
  ];
  return {
    ...body,
    properties: Object.fromEntries([
      ...withFate("mapped").map((name) => describe(name, table.notes[name])),
      ...withFate("ignored").map((name) => describe(name, ignored)),
      // Null counts as not given, so it is all that may be given.
      ...Object.entries(table.refusals).map(([name, reason]) => [
        name,
        { type: "null", description: `Refused: ${reason}.` },
      ]),
    ]),
  };
}

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

/** What is completed before it is checked: items without a type, and text in place of a message's parts. */
function allowShortForms(schemas: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> {
  const { InputMessage: message = {}, InputItemReference: reference = {} } = schemas;
  const { content } = propertiesOf(message);
  return {
    ...schemas,
    InputMessage: {
      ...withoutType(message, "message"),
      properties: {
        ...propertiesOf(withoutType(message, "message")),
        content: { anyOf: [{ type: "string" }, content] },
      },
    },
    InputItemReference: withoutType(reference, "item_reference"),
  };
}

function withoutType(schema: Schema, type: string): Schema {
  const required = Array.isArray(schema.required) ? schema.required.filter((name) => name !== "type") : [];
  return { ...schema, properties: { ...propertiesOf(schema), type: { enum: [type, null] } }, required };
}

function propertiesOf({ properties }: Schema): Schema {
  return typeof properties === "object" && properties !== null ? { ...properties } : {};
}

/** What each parameter with a place does. Tests compare the names with the tables that decide. */

const metadata =
  "Echoed. Beside OpenAI's pairs of strings it may hold `codexbridge`, which goes into logs and `native_api` and is not sent upstream.";

export const responsesNotes: Readonly<Record<string, string>> = {
  background:
    'Answers at once with `status: "queued"`; read the response later, or attach to its stream. Needs `store`.',
  include: "`reasoning.encrypted_content` is honoured; other values have no effect.",
  input: "A text, or items. May be left out with `previous_response_id`.",
  instructions: "Base instructions of the turn. Not taken over from the response before.",
  metadata,
  modalities: '`["text"]`; anything else is refused.',
  model: "A model id of `GET /v1/models`. Default: the configured one, else the catalog's.",
  n: "1; more is refused.",
  parallel_tool_calls:
    "`false` is said to the model in words, and listed in `native_api.ignored_parameters` where it did not obey.",
  priority: "Ours. `background` lets interactive turns go first. Default: `interactive`.",
  previous_response_id: "A stored response to go on from. Any number of responses may follow one.",
  reasoning:
    "`effort` goes on as it is; `summary`, or its older name `generate_summary`, asks for a summary.",
  service_tier: "As it is; `auto` and `default` mean none.",
  store: "Default true: kept in memory until it expires. False: cannot be read or continued.",
  stream: "True for server-sent events.",
  stream_options: "`include_obfuscation` has no effect.",
  text: "`format` of type `json_schema` is enforced where the schema keeps to OpenAI's rules for strict ones, else asked for in words; so is `json_object`.",
  tool_choice: "A choice offers fewer tools; that one must be called is said to the model in words.",
  tools: "Functions of the caller's, and Codex's web search. The model has no other tools.",
  truncation: "`auto` has no effect.",
};

export const chatNotes: Readonly<Record<string, string>> = {
  messages: "The whole history, in order. Nothing is stored.",
  metadata,
  modalities: '`["text"]`; `audio` is refused.',
  model: "A model id of `GET /v1/models`. Default: the configured one, else the catalog's.",
  n: "1; more is refused.",
  parallel_tool_calls:
    "`false` is said to the model in words, and listed in `native_api.ignored_parameters` where it did not obey.",
  priority: "Ours. `background` lets interactive turns go first. Default: `interactive`.",
  reasoning_effort: "As it is: models have their own.",
  response_format:
    "`json_schema` is enforced where the schema keeps to OpenAI's rules for strict ones, else asked for in words; so is `json_object`.",
  service_tier: "As it is; `auto` and `default` mean none.",
  store: "Taken; no completion can be read back, whatever it says.",
  stream: "True for server-sent events.",
  stream_options: "`include_usage` adds a last chunk with the usage.",
  tool_choice: "A choice offers fewer tools; that one must be called is said to the model in words.",
  tools: "Functions of the caller's. The model has no other tools.",
  verbosity: "As it is.",
  web_search_options: "Turns Codex's own web search on.",
};
