import { defaults } from "../../src/main/config/defaults.js";
import type { JsonBounds } from "../../src/main/http/body/json-scan.js";
import { ReceivedBody } from "../../src/main/http/body/received-body.js";
import { isJsonObject } from "../../src/workers/contract/json.js";
import { LoopShare } from "../../src/workers/contract/pace.js";

/** A body of JSON text that arrives in chunks of this size, put together again as the routes could. */
export async function receive(
  text: string | Uint8Array,
  chunkBytes: number,
  bounds: JsonBounds = defaults.http,
): Promise<unknown> {
  const bytes = Buffer.from(text);
  const body = new ReceivedBody(chunkBytes % 2 === 0 ? bytes.length : null, bounds);
  for (let at = 0; at < bytes.length; at += chunkBytes) body.append(bytes.subarray(at, at + chunkBytes));
  const { value, elements } = await body.parse(new LoopShare().start());
  if (!isJsonObject(value)) return value;
  const whole: Record<string, unknown> = { ...value };
  for (const name of ["questions", "input", "messages"]) {
    if (!Array.isArray(value[name])) continue;
    const list: unknown[] = [];
    for await (const { firstIndex, values } of elements(name)) {
      if (firstIndex !== list.length) throw new Error(`a batch of ${name} begins at ${firstIndex}`);
      list.push(...values);
    }
    whole[name] = list;
  }
  return whole;
}
