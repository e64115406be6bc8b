import type { ThreadNotification } from "../app-server/protocol.js";
import type { TurnOutcome } from "../contract/turn-messages.js";
import { showsModelAtWork } from "./model-items.js";
import type { ToolCallPacing } from "./tool-call-pacing.js";

/**
 * The end of a turn whose last answer's calls are the caller's to answer, while Codex lets go of it. Whatever else Codex makes of the
 * turn reaches nobody.
 */
export class Handover {
  readonly #callIds: readonly string[];
  /** Where Codex does not say that the answer is over, it has not told its usage yet. */
  #usageIsDue: boolean;
  #mayHaveAskedAgain = false;

  constructor(callIds: readonly string[], pacing: ToolCallPacing) {
    this.#callIds = callIds;
    this.#usageIsDue = pacing === "unannounced";
  }

  get outcome(): TurnOutcome {
    return {
      status: "handed_over",
      callIds: this.#callIds,
      mayHaveAskedAgain: this.#mayHaveAskedAgain,
    };
  }

  /** True for what still counts: the usage of the answer. */
  note(notification: ThreadNotification): boolean {
    const { method } = notification;
    const isSum = method === "thread/tokenUsage/updated";
    // Codex sums up when it is done with an answer, and then asks again.
    this.#mayHaveAskedAgain ||= isSum || method === "rawResponse/completed" || showsModelAtWork(notification);
    const counts = isSum && this.#usageIsDue;
    if (counts) this.#usageIsDue = false;
    return counts;
  }
}
