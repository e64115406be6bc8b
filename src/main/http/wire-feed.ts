/** The data of the events of `GET /v1/events`. */
import { z } from "zod";
import { number, object, type Sent, text } from "../dialects/answers/wire-types.js";

export const StateEvent = z
  .object({
    object: z.literal("state"),
    at_ms: z.number().describe("When it was so. Milliseconds since the epoch."),
    ready: z.boolean().describe("Whether turns can run."),
    reason: object("Why turns cannot run now.", { code: z.string(), message: z.string() }).nullable(),
    turns: object("Turns of all callers.", {
      running: z.number(),
      waiting: z.number().describe("In the queue."),
      parked: z.number().describe("Waiting for the outputs of their caller's functions."),
    }),
    spare_threads: z.number().describe("Native threads that were started ahead of need."),
    workers: z.array(
      z.object({
        id: z.string(),
        state: z.enum(["booting", "connecting", "ready", "silent", "stopping", "stopped"]),
      }),
    ),
    account: object("Who is logged in to Codex.", {
      type: z.string().describe("`chatgpt`, `apiKey`, …; `none` where the provider needs no login."),
      plan: text,
    }).nullable(),
    plan_windows: z
      .array(
        z.object({
          name: z.enum(["primary", "secondary"]),
          used_percent: z.number(),
          window_minutes: number,
          resets_at_ms: number.describe("Milliseconds since the epoch."),
        }),
      )
      .describe("Limits of the plan, as Codex last reported them. Codex is not asked for them."),
    codex_version: text,
    app_server_generation: number.describe(
      "Counts the app-servers of this start: another number is another process.",
    ),
    uptime_ms: z.number().describe("Of this service."),
  })
  .describe(
    "The state of the service. Sent at the beginning, and when it has changed, at most once a second.",
  );
export type StateEvent = Sent<typeof StateEvent>;

export const EventsDropped = z
  .object({ count: z.number().describe("Events that were left out.") })
  .describe("The reader was too slow for some events; what they said can be read elsewhere.");
export type EventsDropped = Sent<typeof EventsDropped>;
