/** What the routes of the request log answer. */
import { z } from "zod";
import { number, object, type Sent, text, texts } from "../../dialects/answers/wire-types.js";

const offset = number;

export const RequestEntry = z.object({
  object: z.literal("request"),
  id: z
    .string()
    .describe("The request's `x-request-id`, with more behind it where that is another request's too."),
  state: z.enum(["waiting", "running", "ended"]),
  started_at_ms: z.number().describe("Milliseconds since the epoch."),
  transport: z.enum(["http", "websocket"]),
  method: z.string(),
  route: text.describe("Pattern of the route. Null: none matched."),
  status: number.describe("Null until it ended, and where the caller left."),
  caller: text.describe("Name of the token."),
  dialect: text.describe(
    "`responses`, `chat_completions` or `decisions`. Null: no turn was asked for, or the request was refused before its body was read.",
  ),
  model: text.describe("The model that ran."),
  requested_model: text.describe("As the caller named it."),
  reasoning_effort: text,
  service_tier: text,
  stream: z.boolean(),
  background: z.boolean(),
  choices: z.number(),
  task_class: text,
  priority: z.enum(["interactive", "background"]).nullable(),
  timeout_ms: number.describe("`x-request-timeout-ms` of the request."),
  prompt_form: text,
  outcome: z
    .enum(["completed", "incomplete", "calls", "cancelled", "failed", "client_left"])
    .nullable()
    .describe("`calls`: the caller has calls of its functions to answer."),
  error: object("Why it failed.", {
    code: z.string(),
    param: text.describe("As far as its names are the API's own."),
    retryable: z.boolean(),
    message: text.describe("Null unless `requests.content` is set."),
  }).nullable(),
  timings: object(
    "Milliseconds from the start; null: not so far. Those of the turn are of its last attempt.",
    {
      prepared_ms: offset.describe("What it continues was found."),
      admitted_ms: offset.describe("The turn left the queue."),
      thread_ready_ms: offset.describe("The native thread was there."),
      turn_started_ms: offset.describe("Codex had taken the turn on."),
      first_output_ms: offset.describe("The model's first output came."),
      output_ended_ms: offset.describe("The model had nothing more to say."),
      ended_ms: offset.describe("The answer was sent, and the turn over."),
    },
  ),
  thread: object("The native thread. Null until the turn has started.", {
    kind: z
      .enum(["spare", "loaded", "parked", "new"])
      .nullable()
      .describe(
        "Started ahead of need, loaded by an earlier turn, held by a parked turn, or started for this one.",
      ),
    thread_id: z.string(),
    turn_id: z.string(),
    worker_id: z.string(),
    app_server_generation: z.number(),
  }).nullable(),
  attempts: z.number().describe("How often a turn was begun; of several choices, their sum."),
  retries: z
    .array(z.object({ code: z.string(), at_ms: z.number() }))
    .describe("Why a turn was begun again, and when; the first 16."),
  ignored_parameters: texts.describe("Known parameters only."),
  usage: object("Tokens of all model calls, those of attempts that failed included.", {
    input_tokens: z.number(),
    cached_input_tokens: z.number(),
    output_tokens: z.number(),
    reasoning_output_tokens: z.number(),
    total_tokens: z.number(),
  }).nullable(),
  response_id: text,
  previous_response_id: text,
  content: object("What was said, in JSON that is cut to a length. Null unless `requests.content` is set.", {
    input: text,
    output: text,
    metadata: text,
  }).nullable(),
});
export type RequestEntry = Sent<typeof RequestEntry>;

export const RequestList = z.object({
  object: z.literal("list"),
  data: z.array(RequestEntry),
  first_id: text,
  last_id: text,
  has_more: z.boolean(),
});
export type RequestList = Sent<typeof RequestList>;

const UsageRow = z.object({
  caller: text,
  model: text.describe("That ran; `other`: several."),
  route: text,
  task_class: text,
  hour_ms: number.describe(
    "Start of the hour in which the requests ended, in milliseconds since the epoch. Null: of several hours.",
  ),
  requests: z.number(),
  failed: z.number(),
  input_tokens: z.number(),
  cached_input_tokens: z.number(),
  output_tokens: z.number(),
  reasoning_output_tokens: z.number(),
});

export const Usage = z.object({
  object: z.literal("usage"),
  since_ms: z.number().describe("Milliseconds since the epoch."),
  data: z.array(UsageRow),
  other: z
    .number()
    .describe(
      "How often a row was merged into a coarser one: for want of room, or since it is older than a week.",
    ),
});
export type Usage = Sent<typeof Usage>;
