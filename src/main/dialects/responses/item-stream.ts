import type { EventLog } from "./event-log.js";
import type { ModelItem } from "./output-items.js";
import type { OutputItem } from "./wire-items.js";

/** One output item on the wire, from `output_item.added` to `output_item.done`. */
export interface ItemStream {
  /** The model's item is complete: it is the truth, whatever the deltas were. */
  complete(item: ModelItem): void;
  /** The response ended before the item did. */
  cutShort(): void;
  /** The item as a response would hold it now. */
  snapshot(): OutputItem;
}

export interface ItemPlace {
  readonly log: EventLog;
  readonly id: string;
  readonly outputIndex: number;
}

export function addItem({ log, outputIndex }: ItemPlace, item: OutputItem): void {
  const type = "response.output_item.added";
  log.add({ type, sequence_number: log.number(), output_index: outputIndex, item });
}

export function finishItem({ log, outputIndex }: ItemPlace, item: OutputItem): void {
  const type = "response.output_item.done";
  log.add({ type, sequence_number: log.number(), output_index: outputIndex, item });
}
