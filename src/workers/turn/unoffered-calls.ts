import type { JsonObject } from "../contract/json.js";
import type { TurnOutcome } from "../contract/turn-messages.js";
import { isToolCall } from "./model-items.js";
import { maxRefusedCalls, nothingButCalls, tooManyRefusedCalls } from "./turn-endings.js";

/** What a caller can make use of. Reasoning and searches only lead up to it. */
const answers: ReadonlySet<unknown> = new Set(["message", "function_call", "image_generation_call"]);

/**
 * The model's calls of tools that it was not offered. Codex refuses some and asks the model again, as often as it calls; others it
 * passes over, and the turn is over with nothing in it. Neither reads as an answer.
 */
export class UnofferedCalls {
  /** Over the whole turn: whatever the model makes in between, the count does not start again. */
  #refused = 0;
  /** Since the caller last had a say. */
  #hasCalls = false;
  #hasAnswer = false;

  /** The caller has answered the calls of a parked turn. */
  beginLeg(): void {
    this.#hasCalls = false;
    this.#hasAnswer = false;
  }

  noteShown({ type }: JsonObject): void {
    if (answers.has(type)) this.#hasAnswer = true;
  }

  /** An item of the stream that is not shown; gives how to end the turn, null where it may go on. */
  noteHidden(item: JsonObject): TurnOutcome | null {
    if (isToolCall(item)) this.#refused += 1;
    // Codex passes on items of types that it does not know, such as `shell_call` or `mcp_call`, as `other` and without content.
    if (isToolCall(item) || item.type === "tool_search_call" || item.type === "other") this.#hasCalls = true;
    return this.#refused > maxRefusedCalls ? tooManyRefusedCalls : null;
  }

  /** How a turn ended that Codex calls completed. */
  get completed(): TurnOutcome {
    return this.#hasCalls && !this.#hasAnswer ? nothingButCalls : { status: "completed" };
  }
}
