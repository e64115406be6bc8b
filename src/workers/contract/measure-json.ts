/**
 * The UTF-8 bytes of a value's JSON, escapes left out, without making that JSON: a picture of ten megabytes costs one look
 * at its length. With a stack of its own, because a client's JSON may be nested deeper than the call stack is.
 */
export function measureJsonBytes(value: unknown): number {
  let bytes = 0;
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next === "string") bytes += Buffer.byteLength(next) + 2;
    else if (typeof next !== "object" || next === null) bytes += String(next).length;
    else if (Array.isArray(next)) {
      // The brackets, and a comma for all but the last.
      bytes += Math.max(2, next.length + 1);
      for (const element of next) rest.push(element);
    } else bytes += measureKeys(next, rest);
  }
  return bytes;
}

function measureKeys(object: object, rest: unknown[]): number {
  let bytes = 1;
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    // Quotes, colon, and a comma or the closing brace.
    bytes += Buffer.byteLength(key) + 4;
    rest.push(value);
  }
  return Math.max(2, bytes);
}
