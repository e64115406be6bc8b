/**
 * Tools that the caller runs, in the two forms that they have: the caller's own (`custom_tool_call`, `shell_call`, …) and a function, the
 * only tool of a caller's that Codex hands back. The model sees functions; callers and stored histories have the items that they know.
 */
import { isJsonObject, type JsonObject, parseJsonObject, withoutNulls } from "./json.js";

/** How a caller declares a tool that it runs itself. */
export type ClientToolKind = "function" | "custom" | "local_shell" | "shell" | "apply_patch";

interface ItemTypes {
  readonly call: string;
  readonly output: string;
  /** With which ids of such calls begin. OpenAI refuses a call whose id begins with another kind's. */
  readonly idPrefix: string;
}

export const itemTypesOf: Readonly<Record<ClientToolKind, ItemTypes>> = {
  function: { call: "function_call", output: "function_call_output", idPrefix: "fc_" },
  custom: { call: "custom_tool_call", output: "custom_tool_call_output", idPrefix: "ctc_" },
  local_shell: { call: "local_shell_call", output: "local_shell_call_output", idPrefix: "lsh_" },
  shell: { call: "shell_call", output: "shell_call_output", idPrefix: "sh_" },
  apply_patch: { call: "apply_patch_call", output: "apply_patch_call_output", idPrefix: "apc_" },
};

const kinds: readonly ClientToolKind[] = ["function", "custom", "local_shell", "shell", "apply_patch"];
const kindOfCalls = new Map<unknown, ClientToolKind>(kinds.map((kind) => [itemTypesOf[kind].call, kind]));
const kindOfOutputs = new Map<unknown, ClientToolKind>(kinds.map((kind) => [itemTypesOf[kind].output, kind]));

/** All that tells the kind of an item. */
interface Typed {
  readonly type?: unknown;
}

/** The kind of tool that a call is of; null for an item that is no call of a caller's tool. */
export function kindOfCall({ type }: Typed): ClientToolKind | null {
  return kindOfCalls.get(type) ?? null;
}

/** The kind of tool that an output is of; null for an item that is no output of a caller's tool. */
export function kindOfOutput({ type }: Typed): ClientToolKind | null {
  return kindOfOutputs.get(type) ?? null;
}

/** The name of the called tool. A call of a kind that has one tool names none. */
export function nameOfCall(call: Typed & { readonly name?: unknown }): string | null {
  if (typeof call.name === "string") return call.name;
  const kind = kindOfCall(call);
  return kind === null || kind === "function" || kind === "custom" ? null : kind;
}

type Fields = Readonly<Record<string, unknown>>;

const text = { type: "string" } as const;

function object(properties: Fields, required: readonly string[]): JsonObject {
  return { type: "object", properties, required, additionalProperties: false };
}

const noPatch =
  "Create, update or delete one file. `diff` is a unified diff in V4A form: lines that begin with a space, + or -, under @@ headers; for a new file every line begins with +.";

/** What the model is told of the tools whose form OpenAI fixed. The outputs are what callers send. */
export const fixedTools = {
  local_shell: {
    description: "Runs a command on the user's machine and returns its output.",
    parameters: object(
      {
        command: { type: "array", items: text, description: "The program and its arguments." },
        env: { type: "object", additionalProperties: text, description: "Environment variables to set." },
        timeout_ms: { type: "integer", description: "Time limit in milliseconds." },
        user: { ...text, description: "The user to run as." },
        working_directory: { ...text, description: "The folder to run in." },
      },
      ["command"],
    ),
  },
  shell: {
    description: "Runs shell commands on the user's machine and returns their output.",
    parameters: object(
      {
        commands: { type: "array", items: text, description: "Commands that may run side by side." },
        timeout_ms: { type: "integer", description: "Time limit in milliseconds." },
        max_output_length: { type: "integer", description: "Characters to return of each command." },
      },
      ["commands"],
    ),
  },
  apply_patch: {
    description: noPatch,
    parameters: object(
      {
        type: { type: "string", enum: ["create_file", "update_file", "delete_file"] },
        path: { ...text, description: "Path of the file, relative to the workspace." },
        diff: { ...text, description: "Not for delete_file." },
      },
      ["type", "path"],
    ),
  },
} as const satisfies Partial<Record<ClientToolKind, { description: string; parameters: JsonObject }>>;

/** Parameters of the function that stands for a custom tool. */
export const customParameters: JsonObject = object({ input: text }, ["input"]);

/** A call of a function as the caller's kind of tool has it. Arguments that do not fit are passed on as far as they do. */
export function toClientCall(call: JsonObject, kind: ClientToolKind): JsonObject {
  if (kind === "function") return call;
  const { arguments: given, name, ...shared } = call;
  const args = (typeof given === "string" ? parseJsonObject(given) : null) ?? {};
  const item = withIdOf({ ...shared, type: itemTypesOf[kind].call }, "function", kind);
  const status = call.status === "incomplete" ? "incomplete" : "completed";
  switch (kind) {
    case "custom":
      return {
        ...item,
        name,
        input: typeof args.input === "string" ? args.input : (given ?? ""),
      };
    case "local_shell":
      return { ...item, status, action: { type: "exec", ...execOf(args) } };
    case "shell":
      return {
        ...item,
        status,
        action: {
          commands: textsOf(args.commands),
          timeout_ms: numberOf(args.timeout_ms),
          max_output_length: numberOf(args.max_output_length),
        },
        environment: { type: "local" },
      };
    case "apply_patch":
      return { ...item, status, operation: operationOf(args) };
  }
}

/** An id of one kind becomes one of another kind; any other is left out, so that Codex makes one. */
function withIdOf({ id, ...item }: JsonObject, from: ClientToolKind, to: ClientToolKind): JsonObject {
  const { idPrefix } = itemTypesOf[from];
  if (typeof id !== "string" || !id.startsWith(idPrefix)) return item;
  return { ...item, id: itemTypesOf[to].idPrefix + id.slice(idPrefix.length) };
}

function execOf({ command, env, timeout_ms: timeoutMs, user, working_directory: directory }: Fields) {
  return {
    command: typeof command === "string" ? [command] : textsOf(command),
    env: isJsonObject(env)
      ? Object.fromEntries(Object.entries(env).map(([key, value]) => [key, String(value)]))
      : {},
    timeout_ms: numberOf(timeoutMs),
    user: typeof user === "string" ? user : null,
    working_directory: typeof directory === "string" ? directory : null,
  };
}

function operationOf({ type, path, diff }: Fields) {
  const file = { path: typeof path === "string" ? path : "" };
  if (type === "delete_file") return { type, ...file };
  const kind = type === "create_file" ? type : "update_file";
  return { type: kind, ...file, diff: typeof diff === "string" ? diff : "" };
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value)
    ? value.map((entry) => (typeof entry === "string" ? entry : JSON.stringify(entry)))
    : [];
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** A caller's call as the model made it: a call of a function. */
export function toFunctionCall(call: JsonObject): JsonObject {
  const kind = kindOfCall(call);
  if (kind === null || kind === "function") return call;
  const { input, action, operation, environment: _environment, name, ...shared } = call;
  const given = kind === "custom" ? { input } : kind === "apply_patch" ? operation : action;
  return {
    ...withIdOf(shared, kind, "function"),
    type: itemTypesOf.function.call,
    name: name ?? kind,
    arguments: JSON.stringify(argumentsOf(kind === "local_shell" ? withoutType(given) : given)),
  };
}

function withoutType(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  const { type: _type, ...rest } = value;
  return rest;
}

function argumentsOf(given: unknown): unknown {
  return isJsonObject(given) ? withoutNulls(given) : given;
}

/** A caller's output as a function's. */
export function toFunctionOutput(item: JsonObject): JsonObject {
  const kind = kindOfOutput(item);
  if (kind === null || kind === "function") return item;
  const { id: _id, status, max_output_length: _max, output, ...shared } = item;
  const answer = kind === "apply_patch" ? describePatch(status, output) : output;
  const isPlain = kind === "custom" || typeof answer === "string";
  return {
    ...shared,
    type: itemTypesOf.function.output,
    output: isPlain ? answer : JSON.stringify(answer),
  };
}

function describePatch(status: unknown, output: unknown): string {
  return typeof output === "string" && output !== "" ? `${String(status)}: ${output}` : String(status);
}
