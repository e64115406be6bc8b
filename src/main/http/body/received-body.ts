import { StringDecoder } from "node:string_decoder";
import { isJsonObject } from "../../../workers/contract/json.js";
import type { Pace } from "../../../workers/contract/pace.js";
import type { ElementBatch, JsonBody } from "../../dialects/requests/parse-body.js";
import { CodexNativeApiError } from "../../errors.js";
import { BodyBytes } from "./body-bytes.js";
import { type JsonBounds, JsonScan, type ScanFault, type ScannedList } from "./json-scan.js";

/** Longer texts are decoded in pieces, between which the event loop goes on. */
const decodedAtOnceBytes = 1024 * 1024;

/** A body of JSON: scanned as it arrives, then parsed in pieces. */
export class ReceivedBody {
  readonly #bytes: BodyBytes;
  readonly #scan: JsonScan;

  constructor(expectedBytes: number | null, bounds: JsonBounds) {
    this.#bytes = new BodyBytes(expectedBytes);
    this.#scan = new JsonScan(this.#bytes, bounds);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** @throws CodexNativeApiError `invalid_json`, or `invalid_request` for more than the bounds allow. */
  append(chunk: Uint8Array): void {
    let fault: ScanFault | null = null;
    this.#bytes.append(chunk, (bytes, from, to, offset) => {
      fault ??= this.#scan.push(bytes, from, to, offset);
    });
    if (fault !== null) throw refusalOf(fault);
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
    for (const list of lists) {
      const isRead =
        counting.get(list.name) === list && isJsonObject(value) && Array.isArray(value[list.name]);
      if (!isRead) await this.#checkSuperseded(list, pace);
    }
    return new ParsedBody(value, (name) => this.#elements(counting.get(name), pace));
  }

  /** All but the elements of the lists. */
  async #decodeOutside(pace: Pace): Promise<string> {
    let text = "";
    let from = 0;
    for (const { start, end } of this.#scan.lists) {
      text += await this.#decode(from, start, pace);
      from = end;
    }
    return text + (await this.#decode(from, this.#bytes.length, pace));
  }

  /** Of a name that comes twice the last one counts, as for any parser; the others have to be JSON all the same. */
  async #checkSuperseded(list: ScannedList, pace: Pace): Promise<void> {
    for await (const _batch of this.#batches(list, pace)) if (pace.isDue) await pace.rest();
  }

  async *#elements(list: ScannedList | undefined, pace: Pace): AsyncGenerator<ElementBatch> {
    if (list === undefined) return;
    for await (const batch of this.#batches(list, pace)) {
      yield batch;
      this.#bytes.release(batch.end);
    }
  }

  async *#batches(list: ScannedList, pace: Pace): AsyncGenerator<ElementBatch & { readonly end: number }> {
    let from = list.start;
    let firstIndex = 0;
    for (const { at, sameName } of list.cuts) {
      const text = await this.#decode(from, at, pace);
      if (pace.isDue) await pace.rest();
      const parsed = parseText(`[${text}]`);
      const values: readonly unknown[] = Array.isArray(parsed) ? parsed : [];
      // Nothing between a comma and the next one, or the end.
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

/** What the routes are given. */
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

function invalidJson(cause?: unknown): CodexNativeApiError {
  return new CodexNativeApiError(
    "invalid_json",
    "The request body is not valid JSON.",
    cause === undefined ? {} : { cause },
  );
}

function sameNames(param: string): CodexNativeApiError {
  const message = `'${param}': two names are the same once what is no Unicode in them is replaced by U+FFFD.`;
  return new CodexNativeApiError("invalid_request", message, { param });
}

function refusalOf(fault: ScanFault): CodexNativeApiError {
  if (fault.kind === "unbalanced") return invalidJson();
  return new CodexNativeApiError("invalid_request", describe(fault), {
    param: fault.path === "" ? null : fault.path,
  });
}

function describe(fault: Exclude<ScanFault, { kind: "unbalanced" }>): string {
  switch (fault.kind) {
    case "depth":
      return `The request body is nested deeper than ${fault.levels} levels.`;
    case "values":
      return `The request body holds more than ${fault.limit} JSON values (http.maxBodyValues).`;
    case "text":
      return `${fault.path === "" ? "A text or a name" : `'${fault.path}'`} is longer than ${fault.limit} characters.`;
    case "item_values":
      return `One item of the request body, or all its other fields together, hold more than ${fault.limit} JSON values (http.maxItemValues).`;
  }
}
