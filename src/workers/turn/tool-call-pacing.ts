import { isAtLeast } from "../contract/codex-capabilities.js";

/** In what manner Codex asks for the outputs of functions that the model called. */
export type ToolCallPacing =
  /** For all of them at once, and it says when the model call is over. */
  | "together"
  /** For one, in any order, and for the next when that is answered; it says when the model call is over. */
  | "one_by_one"
  /** For one after the other, and that the model call is over can only be told by silence. */
  | "unannounced";

/** Measured: 0.169 asks together, 0.160 and 0.150 one by one, 0.140 does not say. */
export function pacingOf(codexVersion: string | null): ToolCallPacing {
  if (isAtLeast(codexVersion, 0, 169)) return "together";
  return isAtLeast(codexVersion, 0, 150) ? "one_by_one" : "unannounced";
}
