import { addItem, finishItem, type ItemPlace, type ItemStream } from "./item-stream.js";
import type { ModelItem } from "./output-items.js";
import type { FunctionCallItem, OutputItem, WebSearchCallItem } from "./wire-items.js";

/** A web search: its steps are told as they happen, and what was searched for when it is done. */
export class WebSearchStream implements ItemStream {
  readonly #place: ItemPlace;
  #finished: OutputItem | null = null;

  constructor(place: ItemPlace) {
    this.#place = place;
    addItem(place, this.#build("in_progress"));
    this.#tell("response.web_search_call.in_progress");
    this.#tell("response.web_search_call.searching");
  }

  complete(model: ModelItem): void {
    if (model.kind !== "web_search_call") return this.cutShort();
    if (model.item.status === "completed") this.#tell("response.web_search_call.completed");
    this.#finish(model.item);
  }

  cutShort(): void {
    this.#finish(this.#build("failed"));
  }

  snapshot(): OutputItem {
    return this.#finished ?? this.#build("failed");
  }

  #tell(
    type:
      | "response.web_search_call.in_progress"
      | "response.web_search_call.searching"
      | "response.web_search_call.completed",
  ): void {
    const { log, id, outputIndex } = this.#place;
    log.add({ type, sequence_number: log.number(), item_id: id, output_index: outputIndex });
  }

  #build(status: WebSearchCallItem["status"]): WebSearchCallItem {
    return { type: "web_search_call", id: this.#place.id, status, action: { type: "search" } };
  }

  #finish(item: OutputItem): void {
    this.#finished = item;
    finishItem(this.#place, item);
  }
}

/** A function call, told at once: Codex gives no deltas of its arguments. */
export function tellFunctionCall(place: ItemPlace, item: FunctionCallItem): void {
  const { log, id, outputIndex } = place;
  addItem(place, { ...item, arguments: "", status: "in_progress" });
  const at = { item_id: id, output_index: outputIndex };
  if (item.arguments !== "") {
    const type = "response.function_call_arguments.delta";
    log.add({ type, sequence_number: log.number(), ...at, delta: item.arguments });
  }
  const type = "response.function_call_arguments.done";
  const { name, arguments: whole } = item;
  log.add({ type, sequence_number: log.number(), ...at, name, arguments: whole });
  finishItem(place, item);
}
