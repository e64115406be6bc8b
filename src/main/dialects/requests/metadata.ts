/** `metadata`: OpenAI's string pairs within its bounds, and what a bridge lays beside them. */
import { z } from "zod";

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
