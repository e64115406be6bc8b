/** Bounds of request bodies, and the fields that both dialects have. */
import { z } from "zod";
import { maxTextChars, withoutNulls } from "../../../workers/contract/json.js";
import { turnPriorities } from "../../../workers/contract/turn.js";
import { includableMetadata } from "../answers/native-api.js";

/** Objects and lists within one another in a body. Of what Codex is sent it reads one less. */
export const maxBodyLevels = 128;

/** Bounds of a request's own parts: OpenAI's, so that what its API takes is taken here too. */
export const requestLimits = {
  /** Longest text of one part, output or set of arguments. */
  maxTextChars,
  maxFileNameChars: 255,
  maxTools: 128,
  maxDomains: 100,
  /** As Codex checks it too, "to match the Responses API". */
  maxToolNameChars: 128,
  maxNamespaceChars: 64,
  maxNamespaceDescriptionChars: 1_024,
  maxFormatNameChars: 64,
  maxIncludes: 32,
  maxModalities: 16,
  maxMetadataChars: 512,
  /** Longest path in `metadata`: Windows takes up to 32,767 characters, other systems up to 4,096 bytes. */
  maxPathChars: 32_767,
  /**
   * UTF-8 bytes of a field's JSON, escapes not counted, for all fields that hold no part of the conversation. Ours: such a field is
   * hashed, compared and echoed in one go, so that its length holds up other callers.
   */
  maxFieldBytes: 4_194_304,
} as const;

/**
 * A list with a bound on its length. Of one that is too long no more than the bound is checked: zod describes every fault that it
 * finds, and a body has room for a million.
 */
export function boundedList<Schema extends z.ZodType>(element: Schema, max: number, min?: number) {
  const list = z.array(element).max(max);
  return z.preprocess(
    (value) => (Array.isArray(value) && value.length > max ? value.slice(0, max + 1) : value),
    min === undefined ? list : list.min(min),
  );
}

/** Text of a prompt, an output or a set of arguments. */
export const longText = z.string().max(requestLimits.maxTextChars);

export const priority = z.enum(turnPriorities);

const jsonObject = z.record(z.string(), z.unknown());

/** It may hold objects. */
const codexbridge = z
  .looseObject({
    eventMetadata: jsonObject.nullish(),
    threadMetadata: jsonObject.nullish(),
    taskClass: z.string().min(1).max(64).nullish(),
    /** Parts that `native_api` repeats. */
    include: boundedList(z.enum(includableMetadata), requestLimits.maxIncludes).nullish(),
  })
  .transform(withoutNulls);

const metadataText = z.string().max(requestLimits.maxMetadataChars);

/** OpenAI's pairs of texts, and what a chat bridge tells of its task. A null means that the value is not known: it is left out. */
export const metadata: z.ZodType<Readonly<Record<string, string | Record<string, unknown>>>> = z
  .object({
    codexbridge: z.union([codexbridge, metadataText]).nullish(),
    cwd: z.string().max(requestLimits.maxPathChars).nullish(),
  })
  .catchall(metadataText.nullable())
  .transform(withoutNulls)
  .refine((pairs) => Object.keys(pairs).length <= 16, { error: "holds more than 16 keys" })
  .refine((pairs) => Object.keys(pairs).every((key) => key.length <= 64), {
    error: "has a key longer than 64 characters",
  });

/** Null counts as not given, as with OpenAI. */
export function isGiven<T>(value: T): value is Exclude<T, null | undefined> {
  return value !== undefined && value !== null;
}
