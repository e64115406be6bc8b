/** Bounds of request bodies, and the fields that both dialects have. */
import { z } from "zod";
import { maxTextChars } from "../../../workers/contract/long-text.js";
import { turnPriorities } from "../../../workers/contract/turn-priority.js";

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
  maxFormatNameChars: 64,
  maxIncludes: 32,
  maxModalities: 16,
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

/** It may hold objects, and none of it is sent upstream. */
const codexbridge = z.looseObject({
  eventMetadata: jsonObject.optional(),
  threadMetadata: jsonObject.optional(),
  taskClass: z.string().min(1).max(64).optional(),
});

export const metadata = z
  .object({ codexbridge: z.union([codexbridge, z.string().max(512)]).optional() })
  .catchall(z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, { error: "holds more than 16 keys" })
  .refine((pairs) => Object.keys(pairs).every((key) => key.length <= 64), {
    error: "has a key longer than 64 characters",
  });

export type Metadata = z.infer<typeof metadata>;

export function taskClassOf(given: Metadata | null | undefined): string | null {
  const bridge = given?.codexbridge;
  return (typeof bridge === "object" ? bridge.taskClass : undefined) ?? null;
}

/** What can become of a parameter, in either dialect. */

export type ParameterFate =
  /** Has a native place, or is this service's own to honour. */
  | "mapped"
  /** Has no place: left out and listed in `native_api.ignored_parameters`, or refused, by configuration. */
  | "ignored"
  /** Cannot be left out without changing what is asked for. */
  | "refused";

/** Parameters without a native place: dropped and listed in `native_api.ignored_parameters`, or refused with 400. */
export type UnsupportedParameterPolicy = "ignore" | "reject";

/** Null counts as not given, as with OpenAI. */
export function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}

/** Paths of the keys that are given and that nothing reads. */
export function unreadKeys(
  parent: string,
  value: object | null | undefined,
  read: readonly string[],
): string[] {
  if (!isGiven(value)) return [];
  return Object.entries(value)
    .filter(([key, entry]) => !read.includes(key) && isGiven(entry))
    .map(([key]) => `${parent}.${key}`);
}

/** What is asked of Codex for a service tier: `auto` and `default` both mean what happens when nothing is sent. */
export function nativeServiceTier(tier: string | null | undefined): string | null {
  return !isGiven(tier) || tier === "auto" || tier === "default" ? null : tier;
}
