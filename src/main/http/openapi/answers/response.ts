/** The `Response` object and what else the routes of responses answer. */
import { z } from "zod";
import { toolChoice } from "../../../dialects/tools/tool-schemas.js";
import { nativeApi } from "./native-api.js";
import { outputItem } from "./response-items.js";

const text = z.string().nullable();
const number = z.number().nullable();
const seconds = z.number().int();
const size = z.enum(["low", "medium", "high"]);
const jsonObject = z.record(z.string(), z.unknown());

export const responseUsage = z.object({
  input_tokens: z.number(),
  input_tokens_details: z.object({ cached_tokens: z.number(), cache_write_tokens: z.number() }),
  output_tokens: z.number(),
  output_tokens_details: z.object({ reasoning_tokens: z.number() }),
  total_tokens: z.number(),
});

const echoedFormat = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object") }),
  z.object({
    type: z.literal("json_schema"),
    name: z.string(),
    schema: jsonObject,
    strict: z.boolean(),
    description: z.string().optional(),
  }),
]);

const searchSettings = {
  search_context_size: size,
  user_location: z
    .object({ type: z.literal("approximate"), city: text, country: text, region: text, timezone: text })
    .nullable(),
};

const echoedTool = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("function"),
    name: z.string(),
    description: text,
    parameters: jsonObject.nullable(),
    strict: z.boolean(),
  }),
  z.object({
    type: z.enum(["web_search", "web_search_2025_08_26"]),
    ...searchSettings,
    filters: z.object({ allowed_domains: z.array(z.string()).nullable() }).nullable(),
  }),
  z.object({ type: z.enum(["web_search_preview", "web_search_preview_2025_03_11"]), ...searchSettings }),
]);

export const response = z.object({
  id: z.string(),
  object: z.literal("response"),
  created_at: seconds.describe("Unix time in seconds."),
  completed_at: seconds.nullable().describe("Unix time in seconds; null until the response is complete."),
  status: z.enum(["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]),
  background: z.boolean(),
  conversation: z.null(),
  error: z
    .object({ code: z.string(), message: z.string() })
    .nullable()
    .describe("Why it failed. `code` is the one that an HTTP error would carry."),
  incomplete_details: z.object({ reason: z.string() }).nullable(),
  instructions: text,
  max_output_tokens: number,
  max_tool_calls: number,
  metadata: jsonObject,
  model: z.string(),
  moderation: z.null(),
  output: z.array(outputItem),
  parallel_tool_calls: z.boolean(),
  previous_response_id: text,
  prompt: z.null(),
  prompt_cache_key: text,
  prompt_cache_retention: text,
  reasoning: z.object({ effort: text, summary: z.enum(["auto", "concise", "detailed"]).nullable() }),
  safety_identifier: text,
  service_tier: z.string(),
  store: z.boolean(),
  temperature: number,
  text: z.object({ format: echoedFormat, verbosity: size }),
  tool_choice: toolChoice,
  tools: z.array(echoedTool),
  top_logprobs: z.number(),
  top_p: number,
  truncation: z.enum(["auto", "disabled"]),
  usage: responseUsage.nullable().describe("Null while the response runs, and where Codex reported none."),
  user: z.string().optional(),
  native_api: nativeApi,
});

export const deletedResponse = z.object({
  id: z.string(),
  object: z.literal("response"),
  deleted: z.literal(true),
  native_api: nativeApi,
});

export const inputItemPage = z.object({
  object: z.literal("list"),
  data: z
    .array(z.looseObject({ id: z.string() }))
    .describe("Items as the request gave them, each with an id."),
  first_id: text,
  last_id: text,
  has_more: z.boolean(),
  native_api: nativeApi,
});
