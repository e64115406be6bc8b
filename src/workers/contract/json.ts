/** A JSON object whose keys are not ours to fix: items and schemas that pass through unchanged. */
export type JsonObject = { readonly [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Values that are looked at before the search is given up. */
const maxValues = 1_000_000;

/**
 * Path of the first part that JSON has no form for: a BigInt, a function, a symbol, a circle, a getter that throws. Null where
 * there is none. For values that a program hands in; what was parsed from JSON has no such part.
 */
export function findNotJson(value: unknown): string | null {
  const search = new NotJsonSearch();
  return search.look(value, "") ? search.path : null;
}

class NotJsonSearch {
  path = "";
  readonly #above = new Set<object>();
  #left = maxValues;

  /** True once it is found. */
  look(value: unknown, path: string): boolean {
    this.#left -= 1;
    this.path = path;
    if (this.#left < 0 || value === null) return false;
    if (typeof value === "bigint" || typeof value === "function" || typeof value === "symbol") return true;
    if (typeof value !== "object" || ArrayBuffer.isView(value)) return false;
    if (this.#above.has(value)) return true;
    this.#above.add(value);
    const found = this.#lookInside(value, path);
    this.#above.delete(value);
    return found;
  }

  #lookInside(value: object, path: string): boolean {
    for (const key of Object.keys(value)) {
      const inner = Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
      try {
        if (this.look(Reflect.get(value, key), inner)) return true;
      } catch {
        // A getter that throws, or nesting too deep to follow.
        this.path = inner;
        return true;
      }
    }
    return false;
  }
}
