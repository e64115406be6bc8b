import { z } from "zod";

/** A key that versions of Codex leave out or set to null alike; read as null. */
export function orNull<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? null);
}

/** A JSON object that passes through as it is. */
export const jsonObject = z.record(z.string(), z.unknown());

/** An answer of which nothing is read. */
export const nothingRead = z.object({});
