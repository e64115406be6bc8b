import { isGiven } from "../requests/parameter-fate.js";
import type { InputItem } from "./input-items.js";

/** Adds what an item asks for, without its place: there may be thousands. */
export function noteItemOptions(item: InputItem, names: Set<string>): void {
  if (isGiven(item.caller)) names.add("input[].caller");
  const [parts, field] = partsOf(item);
  for (const part of parts) {
    // Codex lets the model see every image in its original size.
    if (part.detail === "low" || part.detail === "high") names.add(`input[].${field}[].detail`);
    if (isGiven(part.prompt_cache_breakpoint)) names.add(`input[].${field}[].prompt_cache_breakpoint`);
  }
}

interface PartOptions {
  readonly detail?: unknown;
  readonly prompt_cache_breakpoint?: unknown;
}

function partsOf(item: { readonly [key: string]: unknown }): [readonly PartOptions[], string] {
  if (Array.isArray(item.content)) return [item.content, "content"];
  return [Array.isArray(item.output) ? item.output : [], "output"];
}
