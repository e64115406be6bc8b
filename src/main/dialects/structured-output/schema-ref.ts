import type { JsonObject } from "../../../workers/contract/json.js";

/** What a local `$ref` (`#`, `#/$defs/name`: a JSON pointer) points to; undefined for nothing. */
export function resolveLocalRef(root: JsonObject, ref: string): unknown {
  const pointer = decodeFragment(ref);
  if (pointer === null) return undefined;
  if (pointer === "") return root;
  if (!pointer.startsWith("/")) return undefined;
  let found: unknown = root;
  for (const step of pointer.slice(1).split("/")) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

function decodeFragment(ref: string): string | null {
  if (!ref.startsWith("#")) return null;
  try {
    return decodeURIComponent(ref.slice(1));
  } catch {
    // A stray percent sign: such a reference points nowhere.
    return null;
  }
}
