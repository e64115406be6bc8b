/** What the service sends to the page, checked where it comes in. Keys that the page does not read are dropped. */
import * as z from "zod/mini";

// The page's policy forbids code from texts, and zod would try whether it may.
z.config({ jitless: true });

/** What a schema lets through, to be read only. */
type Received<Schema extends z.ZodMiniType> = ReadOnly<z.infer<Schema>>;
type ReadOnly<Value> = Value extends object ? { readonly [Key in keyof Value]: ReadOnly<Value[Key]> } : Value;

const text = z.nullable(z.string());
const number = z.nullable(z.number());

const usage = z.object({
  input_tokens: z.number(),
  cached_input_tokens: z.number(),
  output_tokens: z.number(),
  reasoning_output_tokens: z.number(),
  total_tokens: z.number(),
});
export type TokenUsage = Received<typeof usage>;

/** Offsets from `started_at_ms`; null if not reached. */
const timings = z.object({
  prepared_ms: number,
  admitted_ms: number,
  thread_ready_ms: number,
  turn_started_ms: number,
  first_output_ms: number,
  output_ended_ms: number,
  ended_ms: number,
});
export type Timings = Received<typeof timings>;

const thread = z.object({
  kind: text,
  thread_id: text,
  turn_id: text,
  worker_id: text,
  app_server_generation: number,
});

const content = z.object({ input: text, output: text, metadata: text });

/** One request of the service's log. */
export const entrySchema = z.object({
  id: z.string(),
  state: z.enum(["waiting", "running", "ended"]),
  started_at_ms: z.number(),
  transport: z.string(),
  method: z.string(),
  /** Null: no route matched. */
  route: text,
  status: number,
  caller: text,
  dialect: text,
  model: text,
  requested_model: text,
  reasoning_effort: text,
  service_tier: text,
  stream: z.boolean(),
  background: z.boolean(),
  choices: z.number(),
  task_class: text,
  priority: text,
  timeout_ms: number,
  prompt_form: text,
  outcome: text,
  error: z.nullable(z.object({ code: z.string(), param: text, retryable: z.boolean(), message: text })),
  timings,
  thread: z.nullable(thread),
  attempts: z.number(),
  retries: z.array(z.object({ code: z.string(), at_ms: z.number() })),
  ignored_parameters: z.array(z.string()),
  usage: z.nullable(usage),
  response_id: text,
  previous_response_id: text,
  content: z.nullable(content),
});
export type Entry = Received<typeof entrySchema>;

export const entryPageSchema = z.object({
  data: z.array(entrySchema),
  has_more: z.boolean(),
  last_id: text,
});
export type EntryPage = Received<typeof entryPageSchema>;

/** A window of the account's plan. */
const planWindow = z.object({
  name: z.string(),
  used_percent: z.number(),
  window_minutes: number,
  resets_at_ms: number,
});
export type PlanWindow = Received<typeof planWindow>;

export const serviceStateSchema = z.object({
  at_ms: z.number(),
  ready: z.boolean(),
  reason: z.nullable(z.object({ code: z.string(), message: z.string() })),
  turns: z.object({ running: z.number(), waiting: z.number(), parked: z.number() }),
  spare_threads: z.number(),
  workers: z.array(z.object({ id: z.string(), state: z.string() })),
  account: z.nullable(z.object({ type: text, plan: text })),
  plan_windows: z.array(planWindow),
  codex_version: text,
  app_server_generation: number,
  uptime_ms: number,
});
export type ServiceState = Received<typeof serviceStateSchema>;

export const droppedSchema = z.object({ count: z.number() });

const usageRow = z.object({
  caller: text,
  model: text,
  route: text,
  task_class: text,
  /** Null: of several hours, which the service has merged. */
  hour_ms: number,
  requests: z.number(),
  failed: z.number(),
  input_tokens: z.number(),
  cached_input_tokens: z.number(),
  output_tokens: z.number(),
  reasoning_output_tokens: z.number(),
});
export type UsageRow = Received<typeof usageRow>;

export const usageSchema = z.object({ since_ms: z.number(), data: z.array(usageRow), other: z.number() });
export type Usage = Received<typeof usageSchema>;

export const pageTokenSchema = z.object({ token: text });
export type PageToken = Received<typeof pageTokenSchema>;

export const errorBodySchema = z.object({
  error: z.object({ code: text, message: z.string(), param: z.optional(text) }),
});

/** Those parts of `GET /v1/health` that the page reads where it can follow no events. */
const rateWindow = z.nullable(
  z.object({ used_percent: z.number(), window_minutes: number, resets_at: number }),
);
export const healthSchema = z.object({
  native_runtime: z.object({
    ready: z.boolean(),
    reason: z.nullable(z.object({ code: z.string(), message: z.string() })),
    account: z.nullable(z.object({ plan: text, auth_mode: z.string() })),
    rate_limits: z.nullable(z.object({ primary: rateWindow, secondary: rateWindow })),
    codex_version: text,
    app_server: z.nullable(z.object({ generation: z.number(), uptime_ms: number })),
    workers: z.array(z.object({ id: z.string(), state: z.string() })),
    queue: z.object({ depth: z.number(), running: z.number() }),
    spare_threads: z.object({ ready: z.number() }),
  }),
});
export type Health = Received<typeof healthSchema>;

/** The state as far as `GET /v1/health` tells it, for when no events come. */
export function stateOfHealth({ native_runtime: runtime }: Health, nowMs: number): ServiceState {
  const windows = ["primary", "secondary"] as const;
  return {
    at_ms: nowMs,
    ready: runtime.ready,
    reason: runtime.reason,
    turns: { running: runtime.queue.running, waiting: runtime.queue.depth, parked: 0 },
    spare_threads: runtime.spare_threads.ready,
    workers: runtime.workers,
    account: runtime.account && { type: runtime.account.auth_mode, plan: runtime.account.plan },
    plan_windows: windows.flatMap((name): readonly PlanWindow[] => {
      const window = runtime.rate_limits?.[name];
      if (window == null) return [];
      const { used_percent, window_minutes, resets_at } = window;
      return [
        { name, used_percent, window_minutes, resets_at_ms: resets_at === null ? null : resets_at * 1_000 },
      ];
    }),
    codex_version: runtime.codex_version,
    app_server_generation: runtime.app_server?.generation ?? null,
    uptime_ms: runtime.app_server?.uptime_ms ?? null,
  };
}
