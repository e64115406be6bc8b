import { StringDecoder } from "node:string_decoder";
import { isJsonObject } from "../../../workers/contract/json.js";
import type { Pace } from "../../../workers/contract/pace.js";
import type { ElementBatch, JsonBody } from "../../dialects/requests/parse-body.js";
import { CodexNativeApiError } from "../../errors.js";
import { BodyBytes } from "./body-bytes.js";
import { invalidJson, type JsonBounds, JsonScan, type ScannedList } from "./json-scan.js";

/** Longer texts are decoded in pieces, so that the event loop can run between them. */
const decodedAtOnceBytes = 1024 * 1024;

/** A body of JSON: scanned as it arrives, then parsed in pieces. */
export class ReceivedBody {
  readonly #bytes: BodyBytes;
  readonly #scan: JsonScan;
  /** Lists whose elements nothing has read yet, in their order. */
  #unread: readonly ScannedList[] = [];

  constructor(expectedBytes: number | null, bounds: JsonBounds) {
    this.#bytes = new BodyBytes(expectedBytes);
    this.#scan = new JsonScan(this.#bytes, bounds);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** @throws CodexNativeApiError `invalid_json`, or `invalid_request` for a body beyond the bounds. */
  append(chunk: Uint8Array): void {
    let fault: CodexNativeApiError | null = null;
    this.#bytes.append(chunk, (bytes, from, to, offset) => {
      fault ??= this.#scan.push(bytes, from, to, offset);
    });
    if (fault !== null) throw fault;
  }

  /** Once, when all has arrived. @throws CodexNativeApiError `invalid_json`, `invalid_request` */
  async parse(pace: Pace): Promise<JsonBody> {
    const { lists, sameName } = this.#scan;
    if (lists.some(({ end }) => end < 0)) throw invalidJson();
    const text = await this.#decodeOutside(pace);
    if (pace.isDue) await pace.rest();
    const value = parseText(text);
    if (sameName !== null) throw sameNames(sameName);
    if (lists.length === 0) this.#bytes.release(this.#bytes.length);
    const counting = new Map(lists.map((list) => [list.name, list] as const));
    this.#unread = lists.filter((list) => counting.get(list.name) === list);
    for (const list of lists) {
      const isRead =
        counting.get(list.name) === list && isJsonObject(value) && Array.isArray(value[list.name]);
      // Of equal names the last one counts, as for any parser. The lists of the others must still be JSON.
      if (!isRead) for await (const _batch of this.#batches(list, pace)) if (pace.isDue) await pace.rest();
    }
    return new ParsedBody(value, (name) => this.#elements(counting.get(name), pace));
  }

  /** The text of the body without the elements of its lists. */
  async #decodeOutside(pace: Pace): Promise<string> {
    let text = "";
    let from = 0;
    for (const { start, end } of this.#scan.lists) {
      text += await this.#decode(from, start, pace);
      from = end;
    }
    return text + (await this.#decode(from, this.#bytes.length, pace));
  }

  async *#elements(list: ScannedList | undefined, pace: Pace): AsyncGenerator<ElementBatch> {
    if (list === undefined) return;
    for await (const batch of this.#batches(list, pace)) {
      yield batch;
      // The lists may be read in another order than they came in.
      this.#bytes.release(Math.min(batch.end, ...this.#startsBefore(list)));
    }
    this.#unread = this.#unread.filter((other) => other !== list);
  }

  #startsBefore(list: ScannedList): readonly number[] {
    return this.#unread.filter(({ start }) => start < list.start).map(({ start }) => start);
  }

  async *#batches(list: ScannedList, pace: Pace): AsyncGenerator<ElementBatch & { readonly end: number }> {
    let from = list.start;
    let firstIndex = 0;
    for (const { at, sameName } of list.cuts) {
      const text = await this.#decode(from, at, pace);
      if (pace.isDue) await pace.rest();
      const parsed = parseText(`[${text}]`);
      const values: readonly unknown[] = Array.isArray(parsed) ? parsed : [];
      // An element is missing between two commas, or at the end.
      if (values.length === 0 && (firstIndex > 0 || at !== list.end)) throw invalidJson();
      if (sameName !== null) throw sameNames(sameName);
      yield { firstIndex, end: at, values };
      firstIndex += values.length;
      from = at + 1;
    }
  }

  async #decode(from: number, to: number, pace: Pace): Promise<string> {
    const parts = [...this.#bytes.parts(from, to)];
    if (to - from <= decodedAtOnceBytes) return Buffer.concat(parts).toString();
    const decoder = new StringDecoder();
    let text = "";
    for (const part of parts) {
      text += decoder.write(part);
      if (pace.isDue) await pace.rest();
    }
    return text + decoder.end();
  }
}

/** A body as routes get it. */
export class ParsedBody implements JsonBody {
  readonly value: unknown;
  readonly elements: JsonBody["elements"];

  constructor(value: unknown, elements: JsonBody["elements"]) {
    this.value = value;
    this.elements = elements;
  }
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalidJson(cause);
  }
}

function sameNames(param: string): CodexNativeApiError {
  const message = `'${param}': two names of the object are equal once their invalid characters are replaced by U+FFFD.`;
  return new CodexNativeApiError("invalid_request", message, { param });
}
