import type { MethodParams } from "../app-server/protocol.js";
import {
  kindOfCall,
  kindOfOutput,
  nameOfCall,
  toClientCall,
  toFunctionCall,
  toFunctionOutput,
} from "../contract/client-tools.js";
import { hasFeature, isAtLeast, wasTested } from "../contract/codex-capabilities.js";
import { isJsonObject, type JsonObject } from "../contract/json.js";
import type { FunctionTool, ThreadSettings } from "../contract/turn.js";
import type { TurnOutcome } from "../contract/turn-messages.js";
import { isReadable } from "./model-items.js";

/** As Codex and the Responses API have it. */
const maxNameChars = 128;
const maxNamespaceChars = 64;

/** Refused: kept for the tools of MCP servers (0.140 to 0.171). So are namespaces of such a name, and functions in any other. */
const refusedNames = /^mcp(?:__|$)/;

/** Codex silently drops these, though its own tool of that name is off (0.150 to 0.171, every model of the catalog). */
const droppedNames: ReadonlySet<string> = new Set(["exec_command", "shell_command"]);

/**
 * Tools of Codex's own. The versions that were tested take a caller's function of such a name as it is; another version may refuse or
 * drop more of them than those do.
 */
const codexNames: ReadonlySet<string> = new Set([
  "apply_patch",
  "clock",
  "close_agent",
  "collaboration",
  "create_goal",
  "exec",
  "followup_task",
  "functions",
  "get_goal",
  "image_gen",
  "imagegen",
  "interrupt_agent",
  "js_repl",
  "list_agents",
  "list_mcp_resource_templates",
  "list_mcp_resources",
  "local_shell",
  "multi_agent_v1",
  "multi_tool_use",
  "read_mcp_resource",
  "request_permissions",
  "request_user_input",
  "request_user_input_async",
  "resume_agent",
  "send_input",
  "send_message",
  "send_message_to_user_async",
  "shell",
  "skills",
  "sleep",
  "spawn_agent",
  "tool_search",
  "unified_exec",
  "update_goal",
  "update_plan",
  "view_image",
  "wait",
  "wait_agent",
  "web_search",
  "write_stdin",
]);
const likeMcp = /^mcp(?![a-z0-9])/i;

/** The default namespace of functions. Responses Lite names it to models, which then write it into their calls. */
const functionsNamespace = "functions";

type NativeTool = NonNullable<MethodParams<"thread/start">["dynamicTools"]>[number];
type NativeFunction = Extract<NativeTool, { readonly type: "function" }>;

/** Functions under a name of their own. */
interface NativeNamespace {
  readonly name: string;
  readonly description: string;
  readonly tools: NativeFunction[];
}

/** A tool, and the names that Codex has for it and for its namespace. */
interface NamedTool {
  readonly tool: FunctionTool;
  readonly native: string;
  readonly nativeNamespace: string | undefined;
}

/**
 * Translates between the caller's tools and Codex's functions: Codex gets another name for a function whose name it does not take, and
 * calls and outputs of the caller's other kinds of tools as those of functions. The caller sees its own.
 */
export class ToolNames {
  /** By the names that the caller and Codex have for them, namespace included. */
  readonly #byOwn = new Map<string, NamedTool>();
  readonly #byNative = new Map<string, NamedTool>();
  /** Functions without a namespace of their own are offered in the default one, and earlier calls of them shown to the model with it. */
  readonly #isLite: boolean;
  readonly #exact: ReadonlySet<FunctionTool>;
  /** Whether Codex takes a namespace as the list of its functions. */
  readonly #takesLists: boolean;
  /** Calls that went to the model as those of functions, so that their outputs must, too. */
  readonly #converted = new Set<unknown>();

  /** @param codexVersion null where it is not known: taken for one that was not tested. */
  constructor({ tools, isLite }: Pick<ThreadSettings, "tools" | "isLite">, codexVersion: string | null) {
    this.#isLite = isLite;
    this.#takesLists = isAtLeast(codexVersion, 0, 150);
    // Codex without the feature drops the item that would bring them.
    const takesExact = hasFeature(codexVersion, "custom_tool_grammars");
    this.#exact = new Set(takesExact ? tools.filter(({ exact }) => exact !== undefined) : []);
    const takenIn = namesIn(tools);
    const namespaces = nativeNamespaces(tools);
    for (const tool of tools) {
      const { name, namespace } = tool;
      const isExact = this.#exact.has(tool);
      const isTaken =
        !isExact && (namespace === undefined ? needsAnother(name, codexVersion) : refusedNames.test(name));
      const own = namespace?.name;
      const taken = takenIn.get(own) ?? new Set();
      const native = isTaken ? freeName(`caller_${name}`, taken, maxNameChars) : name;
      taken.add(native);
      const nativeNamespace = isExact ? own : namespaces.get(own);
      const named = { tool, native, nativeNamespace };
      this.#byOwn.set(keyOf(name, own), named);
      this.#byNative.set(keyOf(native, nativeNamespace), named);
    }
  }

  /** Whether some calls go to the model in another form than the caller's. */
  get changesCalls(): boolean {
    return (
      (this.#isLite && this.#byOwn.size > 0) ||
      [...this.#byOwn.values()].some((named) => isRenamed(named) || named.tool.kind === "custom")
    );
  }

  /** The tools that a function stands for, as `thread/start` takes them. */
  get dynamicTools(): readonly NativeTool[] {
    const namespaces = new Map<string, NativeNamespace>();
    const bare: NativeFunction[] = [];
    for (const { tool, native, nativeNamespace } of this.#byOwn.values()) {
      if (this.#exact.has(tool)) continue;
      const { description, parameters, namespace } = tool;
      const declared: NativeFunction = {
        type: "function",
        name: native,
        description,
        inputSchema: parameters,
      };
      if (namespace === undefined || nativeNamespace === undefined) bare.push(declared);
      else {
        const known = namespaces.get(nativeNamespace) ?? { ...namespace, name: nativeNamespace, tools: [] };
        known.tools.push(declared);
        namespaces.set(nativeNamespace, known);
      }
    }
    const lists = [...namespaces.values()];
    return [
      ...bare,
      ...(this.#takesLists
        ? lists.map((list) => ({ type: "namespace" as const, ...list }))
        : lists.flatMap(toNamespacedFunctions)),
    ];
  }

  /** The item that offers the others; null where there are none. */
  get additionalTools(): JsonObject | null {
    if (this.#exact.size === 0) return null;
    const bare: JsonObject[] = [];
    const namespaces = new Map<string, { readonly namespace: JsonObject; readonly tools: JsonObject[] }>();
    for (const { exact = {}, namespace } of this.#exact) {
      if (namespace === undefined) bare.push(exact);
      else {
        const known = namespaces.get(namespace.name) ?? { namespace: { ...namespace }, tools: [] };
        known.tools.push(exact);
        namespaces.set(namespace.name, known);
      }
    }
    const lists = [...namespaces.values()].map((list) => ({
      type: "namespace",
      ...list.namespace,
      tools: list.tools,
    }));
    return { type: "additional_tools", role: "developer", tools: [...bare, ...lists] };
  }

  /** Whether an item in the caller's form is a call of one of its tools. */
  declares(call: JsonObject): boolean {
    const kind = kindOfCall(call);
    const found = kind === null ? undefined : this.#findOwn(call);
    return found !== undefined && (found.tool.kind ?? "function") === kind;
  }

  /** Whether Codex can ask for the output of a call, as the model made it: it finds the function, and can read the arguments. */
  canBeAskedFor(call: JsonObject): boolean {
    if (call.type !== "function_call" || typeof call.name !== "string") return false;
    const found = this.#byNative.get(keyOf(call.name, namespaceOf(call)));
    return found !== undefined && !this.#exact.has(found.tool) && isReadable(call.arguments);
  }

  /** The same item in Codex's form. Items are to come in their order: an output has the form of its call. */
  toNativeItem(item: JsonObject): JsonObject {
    const kind = kindOfCall(item);
    if (kind === null) return this.#toNativeOutput(item);
    const found = this.#findOwn(item);
    // Codex drops calls of the kinds that have a fixed tool, or their outputs. A custom tool that is none of the caller's now stays one.
    const isFixed = kind !== "function" && kind !== "custom";
    const isFunction = kind === "custom" && found?.tool.kind === "custom" && !this.#exact.has(found.tool);
    if (isFixed || isFunction) this.#converted.add(item.call_id);
    else this.#converted.delete(item.call_id);
    const call = isFixed || isFunction ? toFunctionCall(item) : item;
    if (found === undefined || call.type !== "function_call") return call;
    const { tool, nativeNamespace } = found;
    const isBare = tool.namespace === undefined && typeof item.namespace !== "string";
    const namespaced = this.#isLite && isBare ? { ...call, namespace: functionsNamespace } : call;
    return isRenamed(found) ? withNames(namespaced, found.native, nativeNamespace) : namespaced;
  }

  /** The same item in the caller's form. */
  toOriginalItem(item: JsonObject): JsonObject {
    if (item.type !== "function_call" && item.type !== "custom_tool_call") return item;
    const { namespace, ...bare } = item;
    const call = namespace === functionsNamespace ? bare : item;
    const found = find(this.#byNative, String(item.name), item);
    if (found === undefined) return call;
    const { tool } = found;
    const own = isRenamed(found) ? withNames(call, tool.name, tool.namespace?.name) : call;
    return item.type === "function_call" ? toClientCall(own, tool.kind ?? "function") : own;
  }

  #findOwn(call: JsonObject): NamedTool | undefined {
    const name = nameOfCall(call);
    return name === null ? undefined : find(this.#byOwn, name, call);
  }

  #toNativeOutput(item: JsonObject): JsonObject {
    const kind = kindOfOutput(item);
    if (kind === null || kind === "function") return item;
    return kind !== "custom" || this.#converted.has(item.call_id) ? toFunctionOutput(item) : item;
  }

  /** The same directive, with Codex's names for the functions that it names in backticks. */
  toNativeDirective(item: JsonObject): JsonObject {
    if (!Array.isArray(item.content)) return item;
    const content: readonly unknown[] = item.content;
    return { ...item, content: content.map((part) => this.#toNativePart(part)) };
  }

  #toNativePart(part: unknown): unknown {
    if (!isJsonObject(part) || typeof part.text !== "string") return part;
    const text = part.text.replace(/`([\w-]+)`/g, (_, name: string) => {
      const native = this.#byOwn.get(keyOf(name, undefined))?.native ?? name;
      return `\`${native}\``;
    });
    return { ...part, text };
  }

  /** The same outcome, with the caller's function names in the backend's message. */
  toOriginalOutcome(outcome: TurnOutcome): TurnOutcome {
    if (outcome.status !== "failed") return outcome;
    const message = outcome.error.message.replace(
      /[\w-]+/g,
      (word) => this.#byNative.get(keyOf(word, undefined))?.tool.name ?? word,
    );
    return { ...outcome, error: { ...outcome.error, message } };
  }
}

/** The namespace's description has no place of its own: the model reads it with the first function. */
function toNamespacedFunctions({ name, description, tools }: NativeNamespace): readonly NativeTool[] {
  return tools.map((tool, at) => {
    const texts = [at === 0 ? description : "", tool.description].filter((text) => text !== "");
    return { ...tool, namespace: name, description: texts.join("\n\n") };
  });
}

function isRenamed({ tool, native, nativeNamespace }: NamedTool): boolean {
  return native !== tool.name || nativeNamespace !== tool.namespace?.name;
}

/** A namespace that the model made up stays where the tool has none. */
function withNames(call: JsonObject, name: string, namespace: string | undefined): JsonObject {
  return namespace === undefined ? { ...call, name } : { ...call, name, namespace };
}

/** The names of tools in each namespace: to look for a free one among all would cost the square of many. */
function namesIn(tools: readonly FunctionTool[]): ReadonlyMap<string | undefined, Set<string>> {
  const names = new Map<string | undefined, Set<string>>();
  for (const { name, namespace } of tools) {
    const known = names.get(namespace?.name) ?? new Set();
    names.set(namespace?.name, known.add(name));
  }
  return names;
}

/** Codex's names of the caller's namespaces, by the caller's. */
function nativeNamespaces(tools: readonly FunctionTool[]): ReadonlyMap<string | undefined, string> {
  const names = new Set(tools.flatMap(({ namespace }) => namespace?.name ?? []));
  const taken = new Set(names);
  const natives = new Map<string | undefined, string>();
  for (const name of names) {
    const native = refusedNames.test(name) ? freeName(`caller_${name}`, taken, maxNamespaceChars) : name;
    taken.add(native);
    natives.set(name, native);
  }
  return natives;
}

function needsAnother(name: string, codexVersion: string | null): boolean {
  if (refusedNames.test(name) || droppedNames.has(name)) return true;
  // 0.140 offers its own, which cannot be switched off, in its place.
  if (name === "update_plan" && !isAtLeast(codexVersion, 0, 150)) return true;
  return !wasTested(codexVersion) && (codexNames.has(name) || likeMcp.test(name));
}

function freeName(wanted: string, taken: ReadonlySet<string>, maxChars: number): string {
  for (let count = 1; ; count += 1) {
    const suffix = count === 1 ? "" : `_${count}`;
    const name = wanted.slice(0, maxChars - suffix.length) + suffix;
    if (!taken.has(name)) return name;
  }
}

/** The tool that a call is of. In a namespace that the caller did not declare, which models make up, it is the one of that name. */
function find(tools: ReadonlyMap<string, NamedTool>, name: string, call: JsonObject): NamedTool | undefined {
  return tools.get(keyOf(name, namespaceOf(call))) ?? tools.get(name);
}

/** Unique among a caller's tools. */
function keyOf(name: string, namespace: string | undefined): string {
  return namespace === undefined ? name : `${namespace} ${name}`;
}

/** Models may write the default namespace of functions, which newer versions of Codex read as none. */
function namespaceOf({ namespace }: JsonObject): string | undefined {
  const isNamed = typeof namespace === "string" && namespace !== "" && namespace !== functionsNamespace;
  return isNamed ? namespace : undefined;
}
