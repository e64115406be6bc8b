/** What callers say of their tasks, for the log. It may be private: it is logged at the level that a host names, short and masked. */
import type { Logger } from "pino";
import { isJsonObject } from "../../workers/contract/json.js";
import { redactFields } from "./redaction.js";

export const metadataLevels = ["silent", "trace", "debug", "info"] as const;

/** `silent`: metadata is not logged. */
export type MetadataLevel = (typeof metadataLevels)[number];

export function isMetadataLevel(value: unknown): value is MetadataLevel {
  return metadataLevels.some((level) => level === value);
}

/** Names as a chat bridge writes them. */
export interface TaskMetadata {
  readonly eventMetadata?: unknown;
  readonly threadMetadata?: unknown;
}

/** Characters of each of the two that a line has at most, in names and values. */
export const maxMetadataChars = 4_096;

/** Writes one line if the task has metadata. `fields` begin with its `event`. */
export function logTaskMetadata(
  logger: Logger,
  level: MetadataLevel,
  fields: { readonly event: string; readonly [name: string]: unknown },
  metadata: TaskMetadata,
): void {
  if (level === "silent") return;
  const given = Object.entries({
    eventMetadata: metadata.eventMetadata,
    threadMetadata: metadata.threadMetadata,
  }).filter(([, value]) => isJsonObject(value));
  if (given.length === 0) return;
  const short = given.map(([name, value]) => [name, cutToSize(value, { chars: maxMetadataChars })]);
  // Here and not by the logger alone: a host's own may mask nothing.
  logger[level]?.({ ...fields, ...redactFields(Object.fromEntries(short)) }, "task metadata");
}

const cutMark = "[cut]";

/** What a number, a list or an object counts, beside its parts. */
const charsOfOthers = 8;

/** Spends `room` on names and values, and leaves out what is behind its end, so that the work has a bound too. */
function cutToSize(value: unknown, room: { chars: number }): unknown {
  if (typeof value === "string") return spend(value, room);
  room.chars -= charsOfOthers;
  if (typeof value !== "object" || value === null) return value;
  const isList = Array.isArray(value);
  const parts: (readonly [string, unknown])[] = [];
  for (const [name, part] of Object.entries(value)) {
    if (room.chars <= 0) {
      parts.push([cutMark, cutMark]);
      break;
    }
    const key = isList ? name : spend(name, room);
    parts.push([key, room.chars > 0 ? cutToSize(part, room) : cutMark]);
  }
  return isList ? parts.map(([, part]) => part) : Object.fromEntries(parts);
}

function spend(text: string, room: { chars: number }): string {
  const kept = text.slice(0, Math.max(room.chars, 0));
  room.chars -= text.length;
  return kept.length < text.length ? `${kept}${cutMark}` : text;
}
