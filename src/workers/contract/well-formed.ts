/** The value with U+FFFD in the place of half surrogate pairs, in its texts and keys: Codex answers no message that holds one. */
export function mendTexts(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(mendTexts);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]: [string, unknown]) => [key.toWellFormed(), mendTexts(entry)]),
  );
}

/** Whether a text that `JSON.stringify` made may hold half a pair: those come out as escapes, whole pairs do not. */
export function mayHoldHalves(json: string): boolean {
  return json.includes("\\ud");
}
