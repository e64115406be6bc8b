/** Queries of the routes of stored responses, where every value is a text. */
import { z } from "zod";

/** `stream=true` and a number are the forms that OpenAI's clients send. */
export const readQuery = z.looseObject({
  stream: z.stringbool().default(false),
  starting_after: z.coerce.number().int().min(0).optional(),
});

export const itemsQuery = z.looseObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  order: z.enum(["asc", "desc"]).default("desc"),
  after: z.string().min(1).optional(),
});
