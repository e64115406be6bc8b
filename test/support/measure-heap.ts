import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage: unknown = runInNewContext("gc");

/** Bytes that are in use now, what a collection at once frees left out. */
export function measureLive(): number {
  if (typeof collectGarbage === "function") collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Bytes that are in use once all that can be freed was. */
export async function measureHeap(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    // What was freed may hold on to what finalizers and closed sockets free next.
    await new Promise((resolve) => setImmediate(resolve));
    measureLive();
  }
  return measureLive();
}
