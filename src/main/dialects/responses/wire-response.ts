/** The `Response` object, whole: a client finds every field that OpenAI documents, whatever the state. And the other answers of its routes. */
import { z } from "zod";
import {
  index,
  jsonObject,
  NativeApi,
  nativeRuntime,
  number,
  object,
  type Sent,
  text,
} from "../answers/wire-types.js";
import { toolChoice } from "../tools/tool-schemas.js";
import { OutputItem } from "./wire-items.js";

const seconds = index.describe("Unix time in seconds.");
const size = z.enum(["low", "medium", "high"]);

export const ResponseUsage = z.object({
  input_tokens: z.number(),
  input_tokens_details: z.object({ cached_tokens: z.number(), cache_write_tokens: z.number() }),
  output_tokens: z.number(),
  output_tokens_details: z.object({ reasoning_tokens: z.number() }),
  total_tokens: z.number(),
});
export type ResponseUsage = Sent<typeof ResponseUsage>;

const echoedFormat = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object") }),
  z.object({
    type: z.literal("json_schema"),
    name: z.string(),
    schema: jsonObject,
    strict: z.boolean(),
    description: text,
  }),
]);

const searchSettings = {
  search_context_size: size,
  user_location: z
    .object({ type: z.literal("approximate"), city: text, country: text, region: text, timezone: text })
    .nullable(),
};

const echoedFunction = z.object({
  type: z.literal("function"),
  name: z.string(),
  description: text,
  parameters: jsonObject.nullable(),
  strict: z.boolean(),
});

const echoedCustom = z.object({
  type: z.literal("custom"),
  name: z.string(),
  description: z.string(),
  format: z.discriminatedUnion("type", [
    z.object({ type: z.literal("text") }),
    z.object({ type: z.literal("grammar"), syntax: z.enum(["lark", "regex"]), definition: z.string() }),
  ]),
});

const echoedTool = z.discriminatedUnion("type", [
  echoedFunction,
  echoedCustom,
  z.object({ type: z.enum(["local_shell", "apply_patch", "tool_search"]) }),
  z.object({ type: z.literal("shell"), environment: z.object({ type: z.literal("local") }) }),
  z.object({
    type: z.literal("namespace"),
    name: z.string(),
    description: z.string(),
    tools: z.array(z.discriminatedUnion("type", [echoedFunction, echoedCustom])),
  }),
  z.object({
    type: z.enum(["web_search", "web_search_2025_08_26"]),
    ...searchSettings,
    filters: z.object({ allowed_domains: z.array(z.string()).nullable() }).nullable(),
  }),
  z.object({ type: z.enum(["web_search_preview", "web_search_preview_2025_03_11"]), ...searchSettings }),
]);
export type EchoedTool = Sent<typeof echoedTool>;

export const Response = z.object({
  id: z.string(),
  object: z.literal("response"),
  created_at: seconds,
  completed_at: seconds.nullable().describe("Unix time in seconds; null until the response is complete."),
  status: z.enum(["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]),
  background: z.boolean(),
  conversation: z.null(),
  error: object("Why it failed. `code` is the one that an HTTP error would have.", {
    code: z.string(),
    message: z.string(),
  }).nullable(),
  frequency_penalty: z.number().describe("As used: always 0."),
  incomplete_details: z.object({ reason: z.string() }).nullable(),
  instructions: text,
  max_output_tokens: number,
  max_tool_calls: number,
  metadata: jsonObject,
  model: z.string(),
  moderation: z.null(),
  output: z.array(OutputItem),
  parallel_tool_calls: z.boolean(),
  presence_penalty: z.number().describe("As used: always 0."),
  previous_response_id: text,
  prompt: z.null(),
  prompt_cache_key: text,
  prompt_cache_retention: text,
  reasoning: z.object({ effort: text, summary: z.enum(["auto", "concise", "detailed"]).nullable() }),
  safety_identifier: text,
  service_tier: z.string().describe("The one that the turn runs in: `default`, `priority` or `flex`."),
  store: z.boolean(),
  temperature: z.number().describe("As used: always 1."),
  text: z.object({ format: echoedFormat, verbosity: size }),
  tool_choice: toolChoice,
  tools: z.array(echoedTool),
  top_logprobs: z.number().describe("As used: always 0."),
  top_p: z.number().describe("As used: 0.98 for GPT-5 and later, as OpenAI tells it, else 1."),
  truncation: z.enum(["auto", "disabled"]),
  usage: ResponseUsage.nullable().describe("Null while the response runs, and where Codex reported none."),
  user: z.string().optional(),
  native_api: NativeApi,
  native_runtime: nativeRuntime.describe("Null before the turn has started."),
});
export type ResponseObject = Sent<typeof Response>;

export const DeletedResponse = z.object({
  id: z.string(),
  object: z.literal("response"),
  deleted: z.literal(true),
  native_api: NativeApi,
});
export type DeletedResponse = Sent<typeof DeletedResponse>;

export const InputItemPage = z.object({
  object: z.literal("list"),
  data: z
    .array(z.looseObject({ id: z.string() }))
    .describe("Items as the request gave them, each with an id."),
  first_id: text,
  last_id: text,
  has_more: z.boolean(),
  native_api: NativeApi,
});
export type InputItemPage = Sent<typeof InputItemPage>;
