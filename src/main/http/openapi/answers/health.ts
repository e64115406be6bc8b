import { z } from "zod";
import { nativeApi } from "./native-api.js";

const text = z.string().nullable();
const number = z.number().nullable();

const rateWindow = z
  .object({ used_percent: z.number(), window_minutes: number, resets_at: number })
  .nullable();

const account = z.object({ id: text, email: text, plan: text, auth_mode: z.string() });

const appServer = z.object({
  generation: z.number(),
  transport: z.string(),
  pid: number,
  rss_bytes: number,
  restarts: z.number(),
  uptime_ms: number,
  loaded_threads: number,
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

export const health = z.object({
  object: z.literal("health.check"),
  status: z
    .enum(["ok", "degraded", "unavailable"])
    .describe(
      "`degraded`: turns run, but a worker is not ready, a feature is missing, or Codex leaves calls unanswered.",
    ),
  version: z.string().describe("This service's."),
  localhost_only: z.boolean(),
  native_api: nativeApi,
  route_capabilities: z
    .record(z.string(), z.boolean())
    .describe("What callers may count on, by name, so that they need not try."),
  continuation_registry: z.object({
    kind: z.string(),
    persistence: z.enum(["in_process", "external"]),
    ttl_ms: z.number(),
    entries: z.number(),
    bytes: z.number(),
  }),
  native_runtime: z.object({
    ready: z.boolean(),
    reason: z
      .object({ code: z.string(), message: z.string() })
      .nullable()
      .describe("Why turns cannot run now."),
    degraded: z
      .array(z.string())
      .describe("Features that this Codex version or backend lacks, and faults that last, by name."),
    provider_profile_id: z.string(),
    provider_kind: z.string(),
    profile: z.enum(["lean", "codex"]),
    account: account.nullable(),
    rate_limits: z
      .object({ primary: rateWindow, secondary: rateWindow, plan: text, reached: text })
      .nullable()
      .describe("The plan's, as Codex last told them."),
    codex_version: text,
    managed_texts: z.array(z.string()).describe("As in `native_api`, of every turn that starts now."),
    app_server: appServer.nullable(),
    workers: z.array(worker),
    queue: z.object({ depth: z.number(), running: z.number() }),
    spare_threads: z
      .object({ ready: z.number(), taken: z.number(), missed: z.number(), discarded: z.number() })
      .describe(
        "Native threads started ahead of need, how many turns found one or did not, and how many went unused.",
      ),
    upstream_limits: z
      .object({
        limits: z.array(
          z.object({
            model: text.describe("Null: the whole account."),
            limit: z.number().describe("Turns that run at once at most."),
            running: z.number(),
            refused_at: z.number().nullable().describe("The lowest number at once that the backend refused."),
          }),
        ),
        refusals: z.number().describe("Turns refused as one too many since the start."),
        connections: z
          .object({ held: z.number(), bound: z.number().nullable(), refused: z.number() })
          .describe("Connections that a ChatGPT account holds to its backend; null: without a bound."),
      })
      .describe("What the account lets run at once, learned from what its backend accepts and refuses."),
    prompt_forms: z
      .object({
        models: z.array(
          z.object({
            model: z.string(),
            web_search: z.boolean().describe("Of prompts with web search alone, or of those without."),
            form: z.enum(["lean", "lean_lite", "codex"]),
            learned_at: z
              .number()
              .describe("Seconds since the epoch. A day later the model's own is tried again."),
          }),
        ),
        changes: z.number().describe("Times another form than before was found to answer, since the start."),
      })
      .describe(
        "Models whose prompts have another form than Codex's catalog says, since the backend refused that.",
      ),
  }),
});
