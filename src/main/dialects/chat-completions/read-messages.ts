import { type ItemList, ItemPacker } from "../../history/item-list.js";
import { checkElement, type ElementCheck } from "../requests/check-element.js";
import { CallPairs } from "../tools/call-pairs.js";
import { takeSteps } from "./call-pairs.js";
import { type CallTypes, toHistoryItems } from "./history-items.js";
import { noteMessageOptions } from "./message-options.js";
import { type ChatMessage, message } from "./message-schemas.js";

/** The messages of a request, checked, as packed items of the model's history. */
export interface ReadMessages {
  readonly items: ItemList;
  /** Names of what they ask for and Codex has no place for. */
  readonly ignored: readonly string[];
}

export const messageCheck: ElementCheck<ChatMessage> = {
  schema: message,
  field: "messages",
  unsupported: "unsupported_chat_completions_feature",
};

/** Checks a request's messages one after another, and keeps of each no more than its items' JSON. */
export class MessageReader {
  readonly #packer = new ItemPacker();
  readonly #pairs = new CallPairs();
  readonly #ignored = new Set<string>();
  readonly #callTypes: CallTypes = new Map();

  /** @throws CodexNativeApiError for the first fault, as `checkElement` and `CallPairs` say it */
  take(value: unknown, index: number): void {
    const checked = checkElement(value, index, messageCheck);
    takeSteps(this.#pairs, checked, index);
    this.#refuse(this.#pairs.fault);
    noteMessageOptions(checked, this.#ignored);
    for (const item of toHistoryItems(checked, this.#callTypes)) this.#packer.add(item);
  }

  /** @throws CodexNativeApiError for a call that nothing answers */
  finish(): ReadMessages {
    this.#refuse(this.#pairs.finish());
    return { items: this.#packer.finish(), ignored: [...this.#ignored] };
  }

  #refuse(fault: Error | null): void {
    if (fault !== null) throw fault;
  }
}
