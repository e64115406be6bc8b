import { compareToTested, isAtLeast } from "../contract/codex-capabilities.js";
import { isJsonObject, type JsonObject } from "../contract/json.js";
import type { ThreadSettings } from "../contract/turn.js";
import type { TurnOutcome } from "../contract/turn-messages.js";

/** As Codex and the Responses API have it. */
const maxNameChars = 128;

/** Refused: kept for the tools of MCP servers (0.140 to 0.171). */
const refusedNames = /^mcp(?:__|$)/;

/** Dropped without a word, though Codex's own tool of that name is off (0.150 to 0.171, every model of the catalog). */
const droppedNames: ReadonlySet<string> = new Set(["exec_command", "shell_command"]);

/**
 * Tools of Codex's own. The versions that were tried take a caller's function of such a name as it is; another version may refuse or
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

/** Where functions live by nature; by Responses Lite models are told so, and write it into their calls. */
const functionsNamespace = "functions";

/** A caller's function names are the caller's: those that Codex will not take go under another name, and come back as they were. */
export class ToolNames {
  readonly #native = new Map<string, string>();
  readonly #original = new Map<string, string>();
  /** Functions that were offered in a namespace: earlier calls of them are shown to the model with it. */
  readonly #namespaced: ReadonlySet<string>;

  /** @param codexVersion null where it is not known: taken for one that was not tried. */
  constructor({ tools, isLite }: Pick<ThreadSettings, "tools" | "isLite">, codexVersion: string | null) {
    const taken = new Set(tools.map((tool) => tool.name));
    this.#namespaced = isLite ? new Set(taken) : new Set();
    for (const { name } of tools) {
      if (!needsAnother(name, codexVersion)) continue;
      const native = freeName(`caller_${name}`, taken);
      taken.add(native);
      this.#native.set(name, native);
      this.#original.set(native, name);
    }
  }

  /** Whether calls are not shown to the model as the caller has them. */
  get changesCalls(): boolean {
    return this.#native.size > 0 || this.#namespaced.size > 0;
  }

  toNative(name: string): string {
    return this.#native.get(name) ?? name;
  }

  /** The same item, its function under Codex's name and in its namespace. */
  toNativeItem(item: JsonObject): JsonObject {
    if (item.type !== "function_call" || typeof item.name !== "string") return item;
    const isNamespaced = this.#namespaced.has(item.name) && typeof item.namespace !== "string";
    const named = rename(item, this.#native);
    return isNamespaced ? { ...named, namespace: functionsNamespace } : named;
  }

  /** The same item, its function under the caller's name. */
  toOriginalItem(item: JsonObject): JsonObject {
    if (item.type !== "function_call" || item.namespace !== functionsNamespace)
      return rename(item, this.#original);
    const { namespace: _namespace, ...bare } = item;
    return rename(bare, this.#original);
  }

  /** The same message of this service's, with the functions that it names in backticks under Codex's names. */
  toNativeDirective(item: JsonObject): JsonObject {
    if (this.#native.size === 0 || !Array.isArray(item.content)) return item;
    const content: readonly unknown[] = item.content;
    return { ...item, content: content.map((part) => this.#toNativePart(part)) };
  }

  #toNativePart(part: unknown): unknown {
    if (!isJsonObject(part) || typeof part.text !== "string") return part;
    const text = part.text.replace(/`([\w-]+)`/g, (quoted, name: string) => {
      const native = this.#native.get(name);
      return native === undefined ? quoted : `\`${native}\``;
    });
    return { ...part, text };
  }

  /** The same outcome: what the backend says of a function, it says by the name that it knows. */
  toOriginalOutcome(outcome: TurnOutcome): TurnOutcome {
    if (this.#original.size === 0 || outcome.status !== "failed") return outcome;
    const message = outcome.error.message.replace(/[\w-]+/g, (word) => this.#original.get(word) ?? word);
    return { ...outcome, error: { ...outcome.error, message } };
  }
}

function needsAnother(name: string, codexVersion: string | null): boolean {
  if (refusedNames.test(name) || droppedNames.has(name)) return true;
  // 0.140 offers its own, which cannot be switched off, in its place.
  if (name === "update_plan" && !isAtLeast(codexVersion, 0, 150)) return true;
  const wasTried = codexVersion !== null && compareToTested(codexVersion) === "within";
  return !wasTried && (codexNames.has(name) || likeMcp.test(name));
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let count = 1; ; count += 1) {
    const suffix = count === 1 ? "" : `_${count}`;
    const name = wanted.slice(0, maxNameChars - suffix.length) + suffix;
    if (!taken.has(name)) return name;
  }
}

function rename(item: JsonObject, names: ReadonlyMap<string, string>): JsonObject {
  if (names.size === 0 || item.type !== "function_call" || typeof item.name !== "string") return item;
  const name = names.get(item.name);
  return name === undefined ? item : { ...item, name };
}
