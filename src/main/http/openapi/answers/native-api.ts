import { z } from "zod";

const text = z.string().nullable();

export const nativeApi = z.object({
  route_path: z.string().describe("The route that answered."),
  request_target: z
    .object({
      provider_profile_id: text.describe("Provider profile of Codex's configuration."),
      provider_kind: text,
      account_id: text.describe("Codex account that the turn ran under. Null where the login has none."),
      worker_id: text.describe("Worker thread that ran the turn. Null where no turn ran."),
      app_server_generation: z.number().int().nullable().describe("Which app-server process, by count."),
      task_class: text.describe("`metadata.codexbridge.taskClass` of the request."),
    })
    .describe("Who and what ran the turn."),
  response_mapping: z
    .object({
      response_id: text,
      chat_completion_id: text,
      previous_response_id: text,
      native_thread_id: text.describe("Codex's own thread."),
      native_turn_id: text.describe("Codex's own turn."),
    })
    .describe("How the ids of the API map to Codex's."),
  continuation: z
    .object({
      resumed: z.boolean(),
      mode: z
        .enum(["native", "replayed"])
        .nullable()
        .describe(
          "`native`: the native thread or the waiting turn went on. `replayed`: its history was put before the model anew.",
        ),
      previous_response_id: text,
      source_native_thread_id: text,
      source_native_turn_id: text,
    })
    .describe("What the turn took up, and how."),
  queue: z
    .object({
      waited_ms: z
        .number()
        .nullable()
        .describe("Time in the queue, in milliseconds. Null where no turn ran."),
      refusals: z
        .number()
        .nullable()
        .describe("How often the backend refused the turn as one too many, and it went back into the queue."),
    })
    .describe("How the turn waited."),
  managed_texts: z
    .array(z.string())
    .describe(
      "Texts of the account's organisation, or of the machine's administrator, in each prompt beside the caller's items, by the name of their key.",
    ),
  prompt_form: z
    .enum(["lean", "lean_lite", "codex"])
    .nullable()
    .describe(
      "The form that the prompt had. `lean`: as the Responses API has it. `lean_lite`: by Responses Lite, for which Codex marks newer models. `codex`: with Codex's own instructions. Null where no turn ran.",
    ),
  ignored_parameters: z.array(z.string()).describe("Parameters of the request that had no effect, by path."),
});
