/** The request that is sent, and what a further one goes on from. */
import { type Dialect, isObject, type JsonValues, type TryForm } from "./try-form.js";

/** Exactly what goes over the wire. */
export interface SentRequest {
  readonly dialect: Dialect;
  readonly path: string;
  readonly body: string;
  readonly isStreamed: boolean;
}

/** What was said so far. */
export type Past =
  | { readonly dialect: "responses"; readonly responseId: string }
  | { readonly dialect: "chat"; readonly messages: readonly unknown[] };

export interface CallOutput {
  readonly callId: string;
  readonly output: string;
}

export const pathOf: Readonly<Record<Dialect, string>> = {
  responses: "/v1/responses",
  chat: "/v1/chat/completions",
  decisions: "/v1/decisions",
};

/** @param said the person's next words, or outputs of the functions that the model called */
export function makeRequest(
  form: TryForm,
  values: JsonValues,
  past: Past | null,
  said: string | readonly CallOutput[],
): SentRequest {
  const { dialect } = form;
  const isStreamed = form.isStreamed && dialect !== "decisions";
  const body =
    dialect === "responses"
      ? responsesBody(form, values, past, said)
      : dialect === "chat"
        ? chatBody(form, values, messagesOf(form, past, said))
        : { ...modelOf(form), input: form.input, questions: values.questions };
  const streamed = isStreamed ? { ...body, ...streamOf(dialect) } : body;
  return { dialect, path: pathOf[dialect], body: writeJson(streamed), isStreamed };
}

function modelOf({ model }: TryForm) {
  return model === "" ? {} : { model };
}

function streamOf(dialect: Dialect) {
  return dialect === "chat" ? { stream: true, stream_options: { include_usage: true } } : { stream: true };
}

function responsesBody(
  form: TryForm,
  { schema, tools }: JsonValues,
  past: Past | null,
  said: string | readonly CallOutput[],
) {
  const { effort, instructions } = form;
  return {
    ...modelOf(form),
    ...(instructions !== "" && { instructions }),
    ...(past?.dialect === "responses" && { previous_response_id: past.responseId }),
    input:
      typeof said === "string"
        ? said
        : said.map(({ callId, output }) => ({ type: "function_call_output", call_id: callId, output })),
    // Without the summary the model's reasoning is not shown.
    reasoning: { ...(effort !== "" && { effort }), summary: "auto" },
    ...(schema !== undefined && {
      text: { format: { type: "json_schema", name: "answer", strict: true, schema } },
    }),
    ...(tools !== undefined && { tools: listOf(tools).map(flatTool) }),
  };
}

function chatBody(form: TryForm, { schema, tools }: JsonValues, messages: readonly unknown[]) {
  const { effort } = form;
  return {
    ...modelOf(form),
    messages,
    ...(effort !== "" && { reasoning_effort: effort }),
    ...(schema !== undefined && {
      response_format: { type: "json_schema", json_schema: { name: "answer", strict: true, schema } },
    }),
    ...(tools !== undefined && { tools: listOf(tools).map(nestedTool) }),
  };
}

/** The whole conversation, as chat completions want it each time. */
export function messagesOf(
  { instructions }: TryForm,
  past: Past | null,
  said: string | readonly CallOutput[],
): readonly unknown[] {
  const before =
    past?.dialect === "chat"
      ? past.messages
      : instructions === ""
        ? []
        : [{ role: "system", content: instructions }];
  const next =
    typeof said === "string"
      ? [{ role: "user", content: said }]
      : said.map(({ callId, output }) => ({ role: "tool", tool_call_id: callId, content: output }));
  return [...before, ...next];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A function as Responses write it, also if it was written as for chat completions. */
function flatTool(tool: unknown): unknown {
  if (!isObject(tool) || !isObject(tool.function)) return tool;
  const { function: inner, ...rest } = tool;
  return { ...rest, ...inner };
}

function nestedTool(tool: unknown): unknown {
  if (!isObject(tool) || tool.type !== "function" || tool.function !== undefined) return tool;
  const { type, ...inner } = tool;
  return { type, function: inner };
}

/** Characters that a terminal, an editor or an eye takes for something else, such as those that turn the direction of a text. */
const misleading =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** JSON over several lines, in which no character misleads who reads or pastes it. */
export function writeJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    misleading,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
