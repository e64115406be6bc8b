import { CodexNativeApiError } from "../../errors.js";
import { formatPath } from "./schema-fault.js";

type Path = readonly (string | number)[];

/**
 * The value with U+FFFD in the place of half surrogate pairs in its keys, which Codex could not read. Values are left as they are.
 *
 * @throws CodexNativeApiError `invalid_request` with the path of a key that would then be the same as another.
 */
export function mendKeys(value: unknown, path: Path): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown, index) => mendKeys(entry, [...path, index]));
  if (typeof value !== "object" || value === null) return value;
  const names = new Set<string>();
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]: [string, unknown]) => {
      const name = key.toWellFormed();
      if (names.has(name)) throw sameName([...path, name]);
      names.add(name);
      return [name, mendKeys(entry, [...path, name])];
    }),
  );
}

function sameName(path: Path): CodexNativeApiError {
  const param = formatPath(path);
  const message = `'${param}': two names are the same once half surrogate pairs in them are replaced by U+FFFD.`;
  return new CodexNativeApiError("invalid_request", message, { param });
}
