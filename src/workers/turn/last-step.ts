import { type ItemChunk, readChunk } from "../contract/item-chunk.js";
import type { JsonObject } from "../contract/json.js";

/** A history in two: all that came before, and the last step. */
export interface SplitHistory {
  readonly before: readonly ItemChunk[];
  readonly last: readonly ItemChunk[];
}

/**
 * Splits a history before its last step: the caller's last message, or the outputs that it gave last with the calls that they
 * answer and what the model said along with these. Only the chunks that hold the step are read.
 *
 * @param pack makes a chunk of items, to be used where the step begins within one.
 */
export function splitLastStep(
  chunks: readonly ItemChunk[],
  pack: (items: readonly JsonObject[]) => ItemChunk,
): SplitHistory {
  const step = new StepReader();
  for (let at = chunks.length - 1; at >= 0; at -= 1) {
    const chunk = chunks[at];
    if (chunk === undefined) break;
    const items = readChunk(chunk);
    const others = items.findLastIndex((item) => !step.takes(item)) + 1;
    if (others === 0) continue;
    if (others === items.length) return { before: chunks.slice(0, at + 1), last: chunks.slice(at + 1) };
    const part = (from: number, to: number) => ({ ...pack(items.slice(from, to)), traits: chunk.traits });
    return {
      before: [...chunks.slice(0, at), part(0, others)],
      last: [part(others, items.length), ...chunks.slice(at + 1)],
    };
  }
  return { before: [], last: chunks };
}

/** Takes the items of a step from the last to the first. */
class StepReader {
  #reached: "end" | "outputs" | "model" | "message" = "end";

  takes(item: JsonObject): boolean {
    if (this.#reached === "message") return false;
    // No word of anyone's.
    if (item.type === "additional_tools") return true;
    if (isOfModel(item)) {
      this.#reached = "model";
      return true;
    }
    if (isOutput(item)) {
      if (this.#reached === "model") return false;
      this.#reached = "outputs";
      return true;
    }
    const isLast = this.#reached === "end";
    this.#reached = "message";
    return isLast;
  }
}

function isOutput({ type }: JsonObject): boolean {
  return typeof type === "string" && type.endsWith("_output");
}

function isOfModel({ type, role }: JsonObject): boolean {
  if (typeof type === "string" && (type === "reasoning" || type.endsWith("_call"))) return true;
  return role === "assistant";
}
