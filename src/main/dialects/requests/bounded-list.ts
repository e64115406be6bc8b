import { z } from "zod";

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
