/**
 * Our wire shapes against the types of the official client. Most of this file is checked by the compiler: each function says
 * that one of our shapes is one of OpenAI's.
 */
import type OpenAI from "openai";
import t from "tap";
import { sayUsedSampling } from "../../src/main/dialects/responses/request-echo.js";
import type * as events from "../../src/main/dialects/responses/wire-events.js";
import type * as items from "../../src/main/dialects/responses/wire-items.js";
import type {
  EchoedTool,
  ResponseObject,
  ResponseUsage,
} from "../../src/main/dialects/responses/wire-response.js";
import type { JsonObject } from "../../src/main/runtime/types.js";
import { play } from "../support/response-driver.js";

type Official = OpenAI.Responses.Response;

/**
 * Ours, without `readonly`, which OpenAI's types do not have. What passes through unread (the model's citations, a search's
 * action, schemas) is the model's word and not ours to check: it fits anywhere.
 */
type Plain<T> = unknown extends T
  ? never
  : T extends readonly (infer Entry)[]
    ? Plain<Entry>[]
    : T extends object
      ? JsonObject extends T
        ? never
        : { -readonly [Key in keyof T]: Plain<T[Key]> }
      : T;

/** An event whose item or response is checked by itself. */
type Around<Event, Key extends string> = Plain<Omit<Event, Key>>;

export const checkedItems = {
  message: (item: Plain<items.MessageItem>): OpenAI.Responses.ResponseOutputMessage => item,
  reasoning: (item: Plain<items.ReasoningItem>): OpenAI.Responses.ResponseReasoningItem => item,
  functionCall: (item: Plain<items.FunctionCallItem>): OpenAI.Responses.ResponseFunctionToolCallItem => item,
  webSearchCall: (item: Plain<items.WebSearchCallItem>): OpenAI.Responses.ResponseFunctionWebSearch => item,
};

export const checkedEvents = {
  lifecycle: (
    event: Around<events.EventOf<events.LifecycleEventType>, "response">,
  ): Omit<
    | OpenAI.Responses.ResponseCreatedEvent
    | OpenAI.Responses.ResponseQueuedEvent
    | OpenAI.Responses.ResponseInProgressEvent
    | OpenAI.Responses.ResponseCompletedEvent
    | OpenAI.Responses.ResponseIncompleteEvent
    | OpenAI.Responses.ResponseFailedEvent,
    "response"
  > => event,
  streamError: (event: Plain<events.StreamErrorEvent>): OpenAI.Responses.ResponseErrorEvent => event,
  outputItem: (
    event: Around<events.EventOf<"response.output_item.added" | "response.output_item.done">, "item">,
  ): Omit<
    OpenAI.Responses.ResponseOutputItemAddedEvent | OpenAI.Responses.ResponseOutputItemDoneEvent,
    "item"
  > => event,
  contentPart: (
    event: Plain<events.EventOf<"response.content_part.added" | "response.content_part.done">>,
  ): OpenAI.Responses.ResponseContentPartAddedEvent | OpenAI.Responses.ResponseContentPartDoneEvent => event,
  textDelta: (
    event: Plain<events.EventOf<"response.output_text.delta">>,
  ): OpenAI.Responses.ResponseTextDeltaEvent => event,
  textDone: (
    event: Plain<events.EventOf<"response.output_text.done">>,
  ): OpenAI.Responses.ResponseTextDoneEvent => event,
  annotation: (
    event: Around<events.EventOf<"response.output_text.annotation.added">, "annotation">,
  ): Omit<OpenAI.Responses.ResponseOutputTextAnnotationAddedEvent, "annotation"> => event,
  refusalDelta: (
    event: Plain<events.EventOf<"response.refusal.delta">>,
  ): OpenAI.Responses.ResponseRefusalDeltaEvent => event,
  refusalDone: (
    event: Plain<events.EventOf<"response.refusal.done">>,
  ): OpenAI.Responses.ResponseRefusalDoneEvent => event,
  summaryPart: (
    event: Plain<
      events.EventOf<"response.reasoning_summary_part.added" | "response.reasoning_summary_part.done">
    >,
  ):
    | OpenAI.Responses.ResponseReasoningSummaryPartAddedEvent
    | OpenAI.Responses.ResponseReasoningSummaryPartDoneEvent => event,
  summaryDelta: (
    event: Plain<events.EventOf<"response.reasoning_summary_text.delta">>,
  ): OpenAI.Responses.ResponseReasoningSummaryTextDeltaEvent => event,
  summaryDone: (
    event: Plain<events.EventOf<"response.reasoning_summary_text.done">>,
  ): OpenAI.Responses.ResponseReasoningSummaryTextDoneEvent => event,
  reasoningDelta: (
    event: Plain<events.EventOf<"response.reasoning_text.delta">>,
  ): OpenAI.Responses.ResponseReasoningTextDeltaEvent => event,
  reasoningDone: (
    event: Plain<events.EventOf<"response.reasoning_text.done">>,
  ): OpenAI.Responses.ResponseReasoningTextDoneEvent => event,
  argumentsDelta: (
    event: Plain<events.EventOf<"response.function_call_arguments.delta">>,
  ): OpenAI.Responses.ResponseFunctionCallArgumentsDeltaEvent => event,
  argumentsDone: (
    event: Plain<events.EventOf<"response.function_call_arguments.done">>,
  ): OpenAI.Responses.ResponseFunctionCallArgumentsDoneEvent => event,
  webSearch: (
    event: Plain<
      events.EventOf<
        | "response.web_search_call.in_progress"
        | "response.web_search_call.searching"
        | "response.web_search_call.completed"
      >
    >,
  ):
    | OpenAI.Responses.ResponseWebSearchCallInProgressEvent
    | OpenAI.Responses.ResponseWebSearchCallSearchingEvent
    | OpenAI.Responses.ResponseWebSearchCallCompletedEvent => event,
};

/** Every event we send is one that OpenAI's union knows. */
export const checkedEventType = (
  type: events.ResponseEvent["type"],
): OpenAI.Responses.ResponseStreamEvent["type"] => type;

/**
 * Where we are wider than OpenAI's types, on purpose: a code of our own in `error`, Codex's own names of efforts and tiers,
 * null usage where there is none, which OpenAI sends too, and choices echoed as they came.
 */
type Wider =
  | "error"
  | "incomplete_details"
  | "output"
  | "prompt_cache_retention"
  | "reasoning"
  | "service_tier"
  | "tool_choice"
  | "usage";

export const checkedResponse = {
  response: (
    response: Plain<Omit<ResponseObject, Wider | "native_api" | "text">>,
  ): Omit<Official, Wider | "output_text" | "text"> => response,
  verbosity: (
    verbosity: ResponseObject["text"]["verbosity"],
  ): OpenAI.Responses.ResponseTextConfig["verbosity"] => verbosity,
  usage: (usage: Plain<ResponseUsage>): OpenAI.Responses.ResponseUsage => usage,
  tool: (tool: Plain<EchoedTool>): OpenAI.Responses.Tool => tool,
};

/** The compiler sees that no field of OpenAI's is missing here; those left out are optional and without a null. */
const fields: Record<Exclude<keyof Official, "output_text" | "user" | "prompt_cache_options">, true> = {
  id: true,
  created_at: true,
  error: true,
  incomplete_details: true,
  instructions: true,
  metadata: true,
  model: true,
  object: true,
  output: true,
  parallel_tool_calls: true,
  temperature: true,
  tool_choice: true,
  tools: true,
  top_p: true,
  background: true,
  completed_at: true,
  conversation: true,
  max_output_tokens: true,
  moderation: true,
  previous_response_id: true,
  prompt: true,
  prompt_cache_key: true,
  prompt_cache_retention: true,
  reasoning: true,
  safety_identifier: true,
  service_tier: true,
  status: true,
  text: true,
  top_logprobs: true,
  truncation: true,
  usage: true,
};

t.test("a response has every field that OpenAI documents, whatever its state", async (t) => {
  const { events: told, response } = play([]);
  const all = told.flatMap((event) => ("response" in event ? [event.response] : []));
  t.equal(all.length, 3);
  for (const state of [...all, response]) {
    const sent = JSON.parse(JSON.stringify(state));
    t.strictSame(
      Object.keys(fields).filter((field) => !(field in sent)),
      [],
      state.status,
    );
  }
});

t.test("what a client computes for itself is not sent", async (t) => {
  t.notOk("output_text" in play([]).response);
});

t.test("a request is echoed", async (t) => {
  const body = {
    instructions: "Be brief.",
    metadata: { a: "b", codexbridge: { taskClass: "intent" } },
    max_output_tokens: 10,
    max_tool_calls: 1,
    parallel_tool_calls: false,
    prompt_cache_key: "k",
    prompt_cache_retention: "24h",
    safety_identifier: "s",
    store: false,
    text: { format: { type: "json_schema", name: "n", schema: { type: "object" } }, verbosity: "low" },
    tool_choice: "none",
    truncation: "auto",
    user: "u",
  } as const;
  const { response } = play(
    [],
    { status: "completed" },
    { ...body, reasoning: { effort: "low", summary: "auto" } },
  );
  t.match(response, body);
  t.strictSame(response.reasoning, { effort: "low", summary: "auto" });
});

t.test("allowed tools are echoed with the mode that they were used in", async (t) => {
  const tools = [{ type: "function", name: "f" }];
  const { response } = play(
    [],
    { status: "completed" },
    { tools, tool_choice: { type: "allowed_tools", tools } },
  );
  t.match(response.tool_choice, { type: "allowed_tools", mode: "auto", tools });
});

t.test("what changes the answer is told as it was used, and not as it was asked for", async (t) => {
  const asked = {
    temperature: 0.2,
    top_p: 0.1,
    presence_penalty: 0.5,
    frequency_penalty: -0.5,
    top_logprobs: 2,
    service_tier: "scale",
  };
  const used = {
    temperature: 1,
    top_p: 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    top_logprobs: 0,
    service_tier: "default",
  };
  for (const body of [asked, {}, { temperature: null, top_p: null, service_tier: null }]) {
    const { events: told, response } = play([], { status: "completed" }, body);
    for (const event of told) if ("response" in event) t.match(event.response, used, event.type);
    t.match(response, used);
    t.strictSame(
      [...response.native_api.ignored_parameters].sort(),
      body === asked ? Object.keys(asked).sort() : [],
    );
  }
});

t.test("a model before GPT-5 has another top_p", async (t) => {
  const topPs = { "gpt-4.1": 1, "o4-mini": 1, "gpt-oss-120b": 1, "gpt-5": 0.98, "openai/gpt-10-pro": 0.98 };
  for (const [model, topP] of Object.entries(topPs)) t.equal(sayUsedSampling(model).top_p, topP, model);
});

t.test("a tier is told as Codex sends it", async (t) => {
  const tiers = {
    auto: "default",
    default: "default",
    fast: "priority",
    priority: "priority",
    flex: "flex",
    scale: "default",
  };
  for (const [service_tier, used] of Object.entries(tiers)) {
    t.equal(play([], { status: "completed" }, { service_tier }).response.service_tier, used, service_tier);
  }
});
