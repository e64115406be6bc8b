/** Keeps secrets out of the logs by the names of the fields that hold them. */

/** Names in lower case, without the hyphens and underscores between their words. */
const secretName =
  /^((proxy)?authorization|(set)?cookie|x?apikey|(auth|access|refresh|id|bearer)?token|password|(client)?secret)$/;

const mask = "[redacted]";

/** Deeper objects are cut off: no log line needs them, and a cycle has to end somewhere. */
const maxDepth = 6;

/**
 * Masks secrets among a child logger's own fields. pino passes those through serializers only, which it finds by the exact name, so this
 * lists the spellings that are in use.
 */
export const bindingSerializers: Readonly<Record<string, (value: unknown) => unknown>> = Object.fromEntries(
  [
    "authorization",
    "Authorization",
    "cookie",
    "token",
    "authToken",
    "auth_token",
    "apiKey",
    "api_key",
    "password",
  ].map((name) => [name, maskValue]),
);

/** A copy with every secret field masked, in any spelling: `Authorization`, `auth_token`, `authToken`. */
export function redactFields(fields: object, depth = 0): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const isSecret = secretName.test(name.toLowerCase().replace(/[-_]/g, ""));
      return [name, isSecret ? maskValue(value) : redactValue(value, depth)];
    }),
  );
}

/** Null and undefined stay: it helps to see that a secret is missing, and gives nothing away. */
function maskValue(value: unknown): unknown {
  return value === null || value === undefined ? value : mask;
}

function redactValue(value: unknown, depth: number): unknown {
  if (value instanceof Error) return depth === 0 ? value : serializeError(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= maxDepth) return "[cut]";
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return isPlain(value) ? redactFields(value, depth + 1) : value;
}

/** Class instances, such as sockets and requests, are left to pino, which writes what their `toJSON` returns. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Keeps chosen fields only: pino's own serializer copies every property of an error, and those of an HTTP client hold the request's
 * headers.
 */
export function serializeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error ? { code: error.code } : {};
  const cause =
    error.cause === undefined || depth >= 3 ? {} : { cause: serializeError(error.cause, depth + 1) };
  return { type: error.name, ...code, message: error.message, stack: error.stack, ...cause };
}
