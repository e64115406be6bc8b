import { z } from "zod";

/** A key that some versions of Codex leave out and others set to null; both are read as null. */
export function orNull<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? null);
}

/** A JSON object that passes through unchanged. */
export const jsonObject = z.record(z.string(), z.unknown());

/** An answer that is not read. */
export const nothingRead = z.object({});
