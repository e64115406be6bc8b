/** Tools and the choice among them, as OpenAI declares them. Types that are not here are refused by name. */
import { z } from "zod";
import type { ClientToolKind } from "../../../workers/contract/client-tools.js";
import { boundedList, longText, requestLimits } from "../requests/fields.js";
import { addFault, type FieldFault } from "../requests/schema-fault.js";

const text = z.string().nullish();

export const toolName = z
  .string()
  .min(1)
  .max(requestLimits.maxToolNameChars)
  .regex(/^[a-zA-Z0-9_-]+$/, { error: "may have letters, digits, '_' and '-' only" });

const functionTool = z.looseObject({
  type: z.literal("function"),
  name: toolName,
  description: text,
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});

export const grammarSyntax = z.enum(["lark", "regex"]);

const customFormat = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("grammar"), syntax: grammarSyntax, definition: longText.min(1) }),
]);

const customTool = z.looseObject({
  type: z.literal("custom"),
  name: toolName,
  description: text,
  format: customFormat.nullish(),
});

/** Tools that the caller runs and whose form OpenAI fixed: they have no name but their type. */
const fixedToolTypes = ["local_shell", "shell", "apply_patch"] as const;

const localShellTool = z.looseObject({ type: z.literal("local_shell") });
const applyPatchTool = z.looseObject({ type: z.literal("apply_patch") });

const shellTool = z
  .looseObject({
    type: z.literal("shell"),
    environment: z.looseObject({ type: z.string() }).nullish(),
  })
  .superRefine(({ environment }, context) => {
    if ((environment?.type ?? "local") === "local") return;
    const message = "must be 'local': this server has no containers, so the caller runs the commands";
    addFault(context, ["environment", "type"], { message, unsupported: true });
  });

/** The namespace of functions that are declared without one. Responses Lite names it, and Codex keeps it for itself. */
const defaultNamespace = "functions";

/** Kept by the Responses API for tools of its own (Codex 0.169, 0.171). */
const reservedNamespaces: ReadonlySet<string> = new Set([
  "api_tool",
  "browser",
  "computer",
  "container",
  "file_search",
  "image_gen",
  "multi_tool_use",
  "python",
  "python_user_visible",
  "submodel_delegator",
  "terminal",
  "tool_search",
  "web",
]);

const namespaceTool = z.looseObject({
  type: z.literal("namespace"),
  name: toolName
    .max(requestLimits.maxNamespaceChars)
    .refine((name) => !reservedNamespaces.has(name), { error: "is the name of a namespace of OpenAI's own" }),
  description: z.string().max(requestLimits.maxNamespaceDescriptionChars).nullish(),
  tools: boundedList(
    z.discriminatedUnion("type", [functionTool, customTool]),
    requestLimits.maxTools,
  ).superRefine((list, context) => rejectDuplicates(list.map(calledNameOf), context)),
});

/** Without effect: the tools that it would search among are offered at once. */
const toolSearchTool = z.looseObject({ type: z.literal("tool_search") });

/** All names under which OpenAI offers or offered its web search. */
export const webSearchTypes = [
  "web_search",
  "web_search_2025_08_26",
  "web_search_preview",
  "web_search_preview_2025_03_11",
] as const;

/** Where a search is made from, by whatever the caller gave of it. */
export const place = { city: text, country: text, region: text, timezone: text };

const webSearchTool = z.looseObject({
  type: z.enum(webSearchTypes),
  filters: z
    .looseObject({ allowed_domains: boundedList(z.string().min(1), requestLimits.maxDomains).nullish() })
    .nullish(),
  search_context_size: z.enum(["low", "medium", "high"]).nullish(),
  user_location: z.looseObject({ type: z.literal("approximate").nullish(), ...place }).nullish(),
});

export const tool = z.discriminatedUnion("type", [
  functionTool,
  customTool,
  localShellTool,
  shellTool,
  applyPatchTool,
  namespaceTool,
  toolSearchTool,
  webSearchTool,
]);

export const duplicateName: FieldFault = {
  message: "is the name of an earlier tool: names must be unique",
  unsupported: false,
};

/** Places of the names that stand earlier in the list, null being none. */
export function duplicatesIn(names: readonly (string | null)[]): readonly number[] {
  return names.flatMap((name, index) => (name === null || names.indexOf(name) === index ? [] : index));
}

function rejectDuplicates(names: readonly (string | null)[], context: z.RefinementCtx): void {
  for (const index of duplicatesIn(names)) addFault(context, [index, "name"], duplicateName);
}

export const tools = boundedList(tool, requestLimits.maxTools).superRefine((list, context) => {
  const called = list.flatMap((entry, at) => calledIn(entry, at));
  const faults = duplicatesIn(called.map(({ name }) => name)).flatMap((at) => called[at] ?? []);
  for (const { path } of faults) addFault(context, path, duplicateName);
  rejectDuplicates(
    list.map((entry) => (entry.type === "namespace" ? entry.name : null)),
    context,
  );
});

interface CalledName {
  readonly name: string | null;
  readonly path: (string | number)[];
}

/** The names that a tool of the list takes among those without a namespace. */
function calledIn(entry: z.infer<typeof tool>, at: number): readonly CalledName[] {
  if (entry.type !== "namespace") return [{ name: calledNameOf(entry), path: [at, "name"] }];
  if (entry.name !== defaultNamespace) return [];
  return entry.tools.map(({ name }, index) => ({ name, path: [at, "tools", index, "name"] }));
}

/** A tool as a choice names it. */
const chosenTool = z.discriminatedUnion("type", [
  z.looseObject({ type: z.enum(["function", "custom"]), name: z.string() }),
  z.looseObject({ type: z.enum([...fixedToolTypes, ...webSearchTypes]) }),
]);

const allowedTools = z.looseObject({
  type: z.literal("allowed_tools"),
  mode: z.enum(["auto", "required"]).nullish(),
  tools: boundedList(chosenTool, requestLimits.maxTools, 1),
});

export const toolChoice = z.union([
  z.enum(["none", "auto", "required", ...webSearchTypes]),
  z.discriminatedUnion("type", [...chosenTool.options, allowedTools]),
]);

export type Tool = z.infer<typeof tool>;
export type FunctionToolDeclaration = z.infer<typeof functionTool>;
export type CustomToolDeclaration = z.infer<typeof customTool>;
export type WebSearchDeclaration = z.infer<typeof webSearchTool>;
export type ChosenTool = z.infer<typeof chosenTool>;
export type AllowedTools = z.infer<typeof allowedTools>;
export type ToolChoice = z.infer<typeof toolChoice>;

/** A tool that the caller runs, on its own or out of its namespace. */
export interface ClientTool {
  readonly kind: ClientToolKind;
  /** Of a kind with one tool, the kind. */
  readonly name: string;
  /** What is to be said of it beyond its kind; null where OpenAI fixed that. */
  readonly declaration: FunctionToolDeclaration | CustomToolDeclaration | null;
  readonly namespace: { readonly name: string; readonly description: string } | null;
}

export function listClientTools(declared: readonly Tool[]): readonly ClientTool[] {
  return declared.flatMap((entry): readonly ClientTool[] => {
    switch (entry.type) {
      case "function":
      case "custom":
        return [clientTool(entry, null)];
      case "namespace": {
        const { name, description } = entry;
        const namespace = name === defaultNamespace ? null : { name, description: description ?? "" };
        return entry.tools.map((inner) => clientTool(inner, namespace));
      }
      case "local_shell":
      case "shell":
      case "apply_patch":
        return [{ kind: entry.type, name: entry.type, declaration: null, namespace: null }];
      default:
        return [];
    }
  });
}

function clientTool(
  declaration: FunctionToolDeclaration | CustomToolDeclaration,
  namespace: ClientTool["namespace"],
): ClientTool {
  return { kind: declaration.type, name: declaration.name, declaration, namespace };
}

/** What is in the default namespace is declared without one. */
export function withoutDefaultNamespace(entry: Tool): readonly Tool[] {
  return entry.type === "namespace" && entry.name === defaultNamespace ? entry.tools : [entry];
}

/** Under which the model calls a tool, so that no other may have it; null for a tool that is not called by a name. */
export function calledNameOf(entry: { readonly type: string; readonly name?: unknown }): string | null {
  const { type, name } = entry;
  if (type === "namespace") return null;
  if (typeof name === "string") return name;
  return fixedToolTypes.find((fixed) => fixed === type) ?? null;
}

export function isWebSearchTool(entry: Tool): entry is WebSearchDeclaration {
  return webSearchTypes.some((type) => type === entry.type);
}
