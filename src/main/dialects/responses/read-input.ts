import { itemTraits } from "../../../workers/contract/item-chunk.js";
import { type ItemList, ItemPacker } from "../../history/item-list.js";
import { checkElement, type ElementCheck } from "../requests/check-element.js";
import { CallPairs } from "../tools/call-pairs.js";
import { takeStep } from "./call-pairs.js";
import { type InputItem, inputItem, toHistoryItem } from "./input-items.js";
import { noteItemOptions } from "./item-options.js";

/** The items of a request, checked and packed. */
export interface ReadInput {
  readonly items: ItemList;
  /** Names of what they ask for and Codex has no place for. */
  readonly ignored: readonly string[];
  /** Whether every call is known to have its output, and every output its call; else that shows when the history is whole. */
  readonly isPaired: boolean;
}

export const itemCheck: ElementCheck<InputItem> = {
  schema: inputItem,
  field: "input",
  unsupported: "unsupported_responses_feature",
};

/** Checks a request's items one after another, and keeps of each no more than its JSON. */
export class InputReader {
  readonly #continues: boolean;
  readonly #packer = new ItemPacker();
  readonly #pairs = new CallPairs();
  readonly #ignored = new Set<string>();
  #hasReferences = false;

  /** @param continues whether items of other responses come before these. */
  constructor(continues: boolean) {
    this.#continues = continues;
  }

  /** @throws CodexNativeApiError for the first fault, as `checkElement` and `CallPairs` say it */
  take(value: unknown, index: number): void {
    const checked = checkElement(value, index, itemCheck);
    noteItemOptions(checked, this.#ignored);
    const item = toHistoryItem(checked);
    const traits = this.#packer.add(item);
    this.#hasReferences ||= (traits & itemTraits.reference) !== 0;
    if (!this.#isPart) takeStep(this.#pairs, item, index);
    this.#refuse(this.#pairs.fault);
  }

  /** @throws CodexNativeApiError for a call that nothing answers */
  finish(): ReadInput {
    if (!this.#isPart) this.#refuse(this.#pairs.finish());
    return { items: this.#packer.finish(), ignored: [...this.#ignored], isPaired: !this.#isPart };
  }

  /** What these items refer to or continue may hold the calls that they answer. */
  get #isPart(): boolean {
    return this.#continues || this.#hasReferences;
  }

  #refuse(fault: Error | null): void {
    if (fault !== null) throw fault;
  }
}
