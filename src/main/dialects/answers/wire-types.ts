/**
 * What answers of every kind hold. Schemas of answers stand in files named `wire-*` and serve two ends: our types are inferred from them,
 * and the OpenAPI document is made of them, under the names of those that begin with a capital. No answer is checked at run time, so only
 * the document loads these files; all others import their types.
 */
import { z } from "zod";
import { errorKinds } from "../../errors.js";

/** What we send by a schema. Further keys of a loose object of a known type are the model's, passed on: we make none of them. */
export type Sent<Schema extends z.ZodType> = Known<z.output<Schema>>;

type Known<T> = T extends readonly unknown[]
  ? { readonly [Key in keyof T]: Known<T[Key]> }
  : T extends object
    ? string extends keyof T
      ? "type" extends keyof Declared<T>
        ? Known<Declared<T>>
        : Readonly<T>
      : { readonly [Key in keyof T]: Known<Exclude<T[Key], undefined>> }
    : T;

type Declared<T> = { [Key in keyof T as string extends Key ? never : Key]: T[Key] };

export const text = z.string().nullable();
export const number = z.number().nullable();
export const index = z.number().int();
export const texts = z.array(z.string());
export const jsonObject = z.record(z.string(), z.unknown());

/** An object with a description. */
export function object<Shape extends z.ZodRawShape>(description: string, shape: Shape) {
  return z.object(shape).describe(description);
}

const errorTypes = new Set(Object.values(errorKinds).map(({ type }) => `\`${type}\``));

/** Wider than today's errors: clients must be ready for unknown codes and types. */
const errorBody = z.object({
  error: z.object({
    message: z.string().describe("For people. It may change; branch on `code`."),
    type: z.string().describe(`OpenAI's error type. Today: ${[...errorTypes].join(", ")}.`),
    param: text.describe("Path of the wrong field, such as `input[2].content[0].type`."),
    code: z.string().describe("Stable. Each has a heading in docs/errors.md."),
  }),
});

export { errorBody as Error };

/** An error in OpenAI's shape, which both of its dialects share. */
export type ErrorBody = Sent<typeof errorBody>;

export const promptForm = z.enum(["lean", "lean_lite", "codex"]);

const taskMetadata = z.record(z.string(), z.unknown()).nullable().optional();

export const NativeApi = z.object({
  route_path: z.string().describe("The route that answered."),
  request_target: object("Who and what ran the turn.", {
    provider_profile_id: text.describe("Provider profile of Codex's configuration."),
    provider_kind: text,
    account_id: text.describe("Codex account that the turn ran under. Null where the login has none."),
    worker_id: text.describe("Worker thread that ran the turn. Null where no turn ran."),
    app_server_generation: index.nullable().describe("Which app-server process, by count."),
    task_class: text.describe("`metadata.codexbridge.taskClass` of the request."),
  }),
  response_mapping: object("How the ids of the API map to Codex's.", {
    response_id: text,
    chat_completion_id: text,
    previous_response_id: text,
    native_thread_id: text.describe("Codex's own thread."),
    native_turn_id: text.describe("Codex's own turn."),
  }),
  continuation: object("Which earlier turn this one continues, and how.", {
    resumed: z.boolean(),
    mode: z
      .enum(["native", "replayed"])
      .nullable()
      .describe(
        "`native`: on the native thread, or as the turn that waited. `replayed`: in a new thread, which got the history.",
      ),
    previous_response_id: text,
    source_native_thread_id: text,
    source_native_turn_id: text,
    source_response_id: text.describe("The response that was continued."),
    source_route_kind: z
      .enum(["responses", "chat_completions"])
      .nullable()
      .describe("The API that made what was continued."),
  }),
  queue: object("How the turn waited.", {
    waited_ms: number.describe("Time in the queue, in milliseconds. Null where no turn ran."),
    refusals: number.describe(
      "How often the backend refused the turn as one too many, and it went back into the queue.",
    ),
  }),
  managed_texts: texts.describe(
    "Texts of the account's organisation, or of the machine's administrator, in each prompt beside the caller's items, by the name of their key.",
  ),
  requested_model: text.describe(
    "The model as the request named it, where `model` says which one ran. Null where it named none.",
  ),
  prompt_form: promptForm
    .nullable()
    .describe(
      "The form of the prompt. `lean`: as in the Responses API. `lean_lite`: by Responses Lite, for which Codex marks newer models. `codex`: with Codex's own instructions. Null where no turn ran.",
    ),
  file_access: object("What the turn of a chat bridge could read of this machine. Null for other requests.", {
    readable: z.boolean().describe("Whether the model was given the function `read_file`."),
    reason: z
      .enum(["no_readable_roots", "tools_not_allowed", "function_of_that_name"])
      .nullable()
      .describe("Why it was not."),
    read: z.array(object("A file that was read.", { path: z.string(), bytes: z.number() })),
    refused: z.array(
      object("A read that was refused.", { path: z.string(), reason: z.string().describe("In a sentence.") }),
    ),
  }).nullable(),
  ignored_parameters: texts.describe("Parameters of the request that had no effect, by path."),
  event_metadata: taskMetadata.describe(
    "`metadata.codexbridge.eventMetadata`, if its `include` asks for it.",
  ),
  thread_metadata: taskMetadata.describe(
    "`metadata.codexbridge.threadMetadata`, if its `include` asks for it.",
  ),
});
export type NativeApi = Sent<typeof NativeApi>;

/** What a chat bridge's turn could read of this machine. */
export type FileAccess = NonNullable<NativeApi["file_access"]>;

export const nativeRuntime = object("The native turn, under the names that chat bridges read.", {
  thread_id: z.string(),
  turn_id: z.string(),
  bridge_session_id: z.string().describe("The native thread: it is all that lasts between two turns."),
  provider_profile_id: z.string(),
}).nullable();

/** Null before the turn has started. */
export type NativeRuntimeNames = Sent<typeof nativeRuntime>;
