import type { JsonObject } from "../contract/json.js";
import type { FunctionTool } from "../contract/turn.js";

/**
 * Names that Codex keeps for tools of its own: a caller's function of that name is dropped without a word, though the tool
 * itself is off (0.169, every model of the catalog).
 */
const reservedNames = new Set(["exec_command", "shell_command"]);

/** A caller's function names are the caller's: those that Codex will not take go under another name, and come back as they were. */
export class ToolNames {
  readonly #native = new Map<string, string>();
  readonly #original = new Map<string, string>();

  constructor(tools: readonly FunctionTool[]) {
    const taken = new Set(tools.map((tool) => tool.name));
    for (const { name } of tools) {
      if (!reservedNames.has(name)) continue;
      let native = `caller_${name}`;
      while (taken.has(native)) native += "_";
      taken.add(native);
      this.#native.set(name, native);
      this.#original.set(native, name);
    }
  }

  toNative(name: string): string {
    return this.#native.get(name) ?? name;
  }

  /** The same item, its function under Codex's name. */
  toNativeItem(item: JsonObject): JsonObject {
    return rename(item, this.#native);
  }

  /** The same item, its function under the caller's name. */
  toOriginalItem(item: JsonObject): JsonObject {
    return rename(item, this.#original);
  }
}

function rename(item: JsonObject, names: ReadonlyMap<string, string>): JsonObject {
  if (names.size === 0 || item.type !== "function_call" || typeof item.name !== "string") return item;
  const name = names.get(item.name);
  return name === undefined ? item : { ...item, name };
}
