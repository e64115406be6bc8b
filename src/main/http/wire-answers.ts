/** What the routes of the service itself answer: its state, its models, and what it is. */
import { z } from "zod";
import {
  NativeApi,
  number,
  object,
  promptForm,
  type Sent,
  text,
  texts,
} from "../dialects/answers/wire-types.js";

const rateWindow = z
  .object({ used_percent: z.number(), window_minutes: number, resets_at: number })
  .nullable();

const appServer = z.object({
  generation: z.number(),
  transport: z.string(),
  pid: number,
  rss_bytes: number.describe("Resident memory of its processes together. Null while unknown."),
  idle_cpu_percent: number.describe(
    "Share of one core over the last window in which nothing was asked of it. Null while unknown.",
  ),
  restarts: z.number(),
  last_rotation: object("Why a new app-server took the place of one that still ran. Null: none did.", {
    reason: z.string(),
    at: z.number().describe("Seconds since the epoch."),
  }).nullable(),
  uptime_ms: number,
  loaded_threads: number,
  login_takeovers: z
    .number()
    .describe("How often a new one took over since another Codex had refreshed the login."),
});

const worker = z.object({
  id: z.string(),
  generation: z.number(),
  state: z.enum(["booting", "connecting", "ready", "silent", "stopping", "stopped"]),
  turns: z.number().describe("Running now."),
  completed_turns: z.number(),
  reconnects: z.number(),
  last_report_age_ms: number,
  event_loop_delay_ms: number,
});

const upstreamLimit = z.object({
  model: text.describe("Null: the whole account."),
  limit: z.number().describe("Most turns at the same time."),
  running: z.number(),
  refused_at: number.describe("The lowest number of turns at the same time that the backend refused."),
});

const connections = object(
  "Connections that a ChatGPT account holds to its backend; a null `bound` means none.",
  { held: z.number(), bound: number, refused: z.number() },
);

const learnedForm = z.object({
  model: z.string(),
  web_search: z
    .boolean()
    .describe("Whether this is the form of prompts with web search, or of those without."),
  form: promptForm,
  learned_at: z
    .number()
    .describe("Seconds since the epoch. A day later the model's own form is tried again."),
});

/** What the name of a model stands for. */
const modelChoice = {
  model: z.string(),
  effort: text.describe("Reasoning effort of requests that name none. Null: the model's."),
  service_tier: text.describe("Service tier of requests that name none. Null: the ordinary one."),
};

const alias = z.object({
  name: z.string(),
  ...modelChoice,
  problem: text.describe("Why the alias cannot be used as it is, in a sentence."),
});

export const Health = z.object({
  object: z.literal("health.check"),
  status: z
    .enum(["ok", "degraded", "unavailable"])
    .describe(
      "`degraded`: turns run, but a worker is not ready, a feature is missing, or Codex leaves calls unanswered.",
    ),
  version: z.string().describe("Version of this service."),
  localhost_only: z.boolean(),
  native_api: NativeApi,
  route_capabilities: z
    .record(z.string(), z.boolean())
    .describe("What callers may count on, by name, so that they need not try."),
  continuation_registry: z.object({
    kind: z.string(),
    persistence: z.enum(["in_process", "external"]),
    survives_process_restart: z.boolean(),
    ttl_ms: z.number(),
    entries: z.number(),
    bytes: z.number(),
  }),
  web_sockets: object("WebSockets of responses.", { open: z.number() }),
  native_runtime: z.object({
    ready: z.boolean(),
    runtime_reachable: z.boolean().describe("A worker is connected to Codex, whether or not turns can run."),
    checked_at: z.number().describe("Milliseconds since the epoch: the last report of a worker."),
    reason: object("Why turns cannot run now.", { code: z.string(), message: z.string() }).nullable(),
    degraded: texts.describe(
      "Features that this Codex version or backend lacks, and faults that last, by name.",
    ),
    provider_profile_id: z.string(),
    provider_kind: z.string(),
    profile: z.enum(["lean", "codex"]),
    account: z.object({ id: text, email: text, plan: text, auth_mode: z.string() }).nullable(),
    rate_limits: object("Limits of the plan, as Codex last reported them.", {
      primary: rateWindow,
      secondary: rateWindow,
      plan: text,
      reached: text,
    }).nullable(),
    codex_version: text,
    model_count: number.describe("Models in the catalog. Null until it was read."),
    model_names: object("What names of models stand for, and whether they are checked.", {
      catalog_checked: z
        .boolean()
        .describe("False: a model provider of the user's own serves models that no catalog lists."),
      aliases: z.array(alias),
    }),
    managed_texts: texts.describe("As in `native_api`, of every turn that starts now."),
    app_server: appServer.nullable(),
    workers: z.array(worker),
    queue: z.object({ depth: z.number(), running: z.number() }),
    spare_threads: object(
      "Native threads started ahead of need, how many turns found one or did not, and how many went unused.",
      { ready: z.number(), taken: z.number(), missed: z.number(), discarded: z.number() },
    ),
    upstream_limits: object(
      "How many turns the account lets run at the same time, learned from what its backend accepts and refuses.",
      {
        limits: z.array(upstreamLimit),
        refusals: z.number().describe("Turns refused as one too many since the start."),
        connections,
      },
    ),
    prompt_forms: object(
      "Models whose prompts have another form than in Codex's catalog, because the backend refused that one.",
      {
        models: z.array(learnedForm),
        changes: z
          .number()
          .describe("How often another form than before was found to work, since the start."),
      },
    ),
  }),
});
export type Health = Sent<typeof Health>;

export const Model = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: z.number().describe("Always 0: Codex's catalog has no time."),
  owned_by: z.string(),
  display_name: z.string(),
  default: z.boolean().describe("Whether a request without a model gets this one. True for one of the list."),
  capabilities: z.object({ supported_reasoning_efforts: texts, default_reasoning_effort: text }),
  native_api: NativeApi.extend({
    display_name: z.string(),
    description: z.string(),
    is_default: z.boolean(),
    default_reasoning_effort: text,
    supported_reasoning_efforts: texts,
    input_modalities: texts,
    service_tiers: texts,
    stands_for: object("What the name stands for. Null for a model's own id.", modelChoice).nullable(),
  }),
});
export type Model = Sent<typeof Model>;

export const ModelList = z.object({
  object: z.literal("list"),
  data: z.array(Model),
  native_api: NativeApi.extend({
    catalog_checked: z
      .boolean()
      .describe(
        "False: the user's own model provider serves models that no catalog lists, so that every name is passed on to it.",
      ),
  }),
});
export type ModelList = Sent<typeof ModelList>;

export const Service = z.object({
  name: z.literal("codex-native-api"),
  description: z.string(),
  version: z.string(),
  base_path: z.literal("/v1").describe("Where the base URL of OpenAI's clients ends."),
  routes: texts.describe("The most important ones."),
  openapi: z.string().describe("Path of this document."),
});
export type Service = Sent<typeof Service>;
