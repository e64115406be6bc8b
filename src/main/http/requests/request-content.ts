/** What was said, for a request log that is to have it: as JSON, cut to a bounded length. */
import type { ItemChunk } from "../../../workers/contract/item-chunk.js";
import type { RequestExchange } from "../../exchange/exchange.js";
import type { ItemList } from "../../history/item-list.js";
import type { RequestContent } from "../../observability/requests/types.js";

/** Characters of each text. */
export const maxContentChars = 4_096;
const cutMark = "[cut]";

export function describeContent({
  turn,
  outputItems,
}: Pick<RequestExchange, "turn" | "outputItems">): RequestContent {
  const { metadata } = turn;
  const hasMetadata = metadata !== null && Object.keys(metadata).length > 0;
  return {
    input: writeItems(turn.request.items),
    output: outputItems.length === 0 ? null : writeValues(outputItems),
    metadata: hasMetadata ? cutText(writeValue(metadata)) : null,
  };
}

export function cutText(text: string): string {
  const isLong = text.length > maxContentChars;
  return (isLong ? `${text.slice(0, maxContentChars)}${cutMark}` : text).toWellFormed();
}

/** A long history by its beginning and by its end, which is what was asked last. */
function writeItems({ chunks, bytes }: ItemList): string {
  if (bytes <= maxContentChars) return `[${chunks.map((chunk) => decode(chunk.json)).join()}]`;
  const part = maxContentChars / 2;
  const head = decode(takeBytes(chunks, part, ({ json }, most) => json.subarray(0, most)));
  const tail = decode(takeBytes(chunks.toReversed(), part, ({ json }, most) => json.subarray(-most), true));
  return `[${head}${cutMark}${tail}]`;
}

function takeBytes(
  chunks: readonly ItemChunk[],
  most: number,
  cut: (chunk: ItemChunk, most: number) => Uint8Array,
  isBackwards = false,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let left = most;
  for (const chunk of chunks) {
    if (left <= 0) break;
    const part = cut(chunk, left);
    if (parts.length > 0) parts.push(Buffer.from(","));
    parts.push(part);
    left -= part.length + 1;
  }
  return Buffer.concat(isBackwards ? parts.reverse() : parts);
}

/** Half a character at a cut becomes a replacement character. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function writeValues(values: readonly unknown[]): string {
  let text = "[";
  for (const value of values) {
    text += `${text === "[" ? "" : ","}${writeValue(value)}`;
    if (text.length > maxContentChars) return cutText(text);
  }
  return `${text}]`.toWellFormed();
}

/** Long texts are cut before they are written: they may be megabytes. */
function writeValue(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "string" && part.length > maxContentChars ? part.slice(0, maxContentChars) : part,
  );
  return text ?? "";
}
