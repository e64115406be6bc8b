/**
 * Tools that items of a conversation bring: `additional_tools`, and `tool_search_output`, which has what a search among the caller's tools
 * found. They are offered with those of the request.
 */
import { itemTraits } from "../../../workers/contract/item-chunk.js";
import type { Pace } from "../../../workers/contract/pace.js";
import { type Items, visitItems } from "../../history/item-list.js";
import type { JsonObject } from "../../runtime/types.js";
import { requestLimits } from "../requests/fields.js";
import { fieldError } from "../requests/schema-fault.js";
import {
  calledNameOf,
  isWebSearchTool,
  type Tool,
  tool as toolSchema,
  tools as toolsSchema,
  withoutDefaultNamespace,
} from "./tool-schemas.js";

type NamespacedTool = Extract<Tool, { readonly type: "namespace" }>["tools"][number];

/** Tools of several lists, those of one namespace together. */
export class MergedTools {
  readonly #byKey = new Map<string, Tool>();
  /** By the namespace's name. */
  readonly #inner = new Map<string, Map<string, NamespacedTool>>();
  #count = 0;

  /** A tool takes the place of an earlier one of its name. */
  add(more: readonly Tool[]): void {
    this.#merge(more, () => true);
  }

  /** A tool whose name is taken is left out. */
  addMissing(more: readonly Tool[]): void {
    this.#merge(more, (isTaken) => !isTaken);
  }

  /** How many there are in the longest of its lists: that of all, in which a namespace is one, and those of the namespaces. */
  get count(): number {
    return this.#count;
  }

  get all(): readonly Tool[] {
    return [...this.#byKey.values()].map((tool) => {
      const inner = tool.type === "namespace" ? this.#inner.get(tool.name) : undefined;
      return tool.type !== "namespace" || inner === undefined
        ? tool
        : { ...tool, tools: [...inner.values()] };
    });
  }

  #merge(more: readonly Tool[], replaces: (isTaken: boolean) => boolean): void {
    for (const tool of more.flatMap(withoutDefaultNamespace)) {
      const key = keyOf(tool);
      if (replaces(this.#byKey.has(key))) this.#byKey.set(key, tool);
      if (tool.type === "namespace") this.#mergeNamespace(tool.name, tool.tools, replaces);
    }
    this.#count = Math.max(this.#count, this.#byKey.size);
  }

  #mergeNamespace(
    namespace: string,
    more: readonly NamespacedTool[],
    replaces: (isTaken: boolean) => boolean,
  ): void {
    const inner = this.#inner.get(namespace) ?? new Map<string, NamespacedTool>();
    this.#inner.set(namespace, inner);
    for (const tool of more) if (replaces(inner.has(tool.name))) inner.set(tool.name, tool);
    this.#count = Math.max(this.#count, inner.size);
  }
}

function keyOf(tool: Tool): string {
  if (isWebSearchTool(tool)) return "web search";
  const name = calledNameOf(tool);
  return name === null ? `${tool.type} ${"name" in tool ? tool.name : ""}` : name;
}

/**
 * The tools that items of a conversation brought. Each list was checked when its request was read.
 *
 * @throws CodexNativeApiError `invalid_request` where they are too many together.
 */
export async function readBroughtTools(items: Items, pace: Pace): Promise<readonly Tool[]> {
  const { maxTools } = requestLimits;
  const brought = new MergedTools();
  await visitItems(
    items,
    pace,
    (item) => {
      brought.add(toolsOf(item));
      if (brought.count > maxTools) {
        throw fieldError("input", `brings more than ${maxTools} tools together with the responses before it`);
      }
    },
    itemTraits.foreign,
  );
  return brought.all;
}

function toolsOf(item: JsonObject): readonly Tool[] {
  if (item.type === "tool_search_output") return readFoundTools(item.tools);
  const read = item.type === "additional_tools" ? toolsSchema.safeParse(item.tools) : null;
  return read?.success === true ? read.data : [];
}

/** What a search found and the caller runs. The rest, such as a server's tools, concerns those who searched. */
export function readFoundTools(found: unknown): readonly Tool[] {
  if (!Array.isArray(found)) return [];
  return found.flatMap((entry) => {
    const read = toolSchema.safeParse(entry);
    return read.success ? [read.data] : [];
  });
}
