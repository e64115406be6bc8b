/** Keeps secrets out of the logs by the names of the fields that hold them. */

const secretNames = new Set([
  "authorization",
  "proxyauthorization",
  "cookie",
  "setcookie",
  "xapikey",
  "apikey",
  "token",
  "authtoken",
  "accesstoken",
  "refreshtoken",
  "idtoken",
  "bearertoken",
  "password",
  "secret",
  "clientsecret",
]);

const mask = "[redacted]";

/** Deeper objects are cut: no log line needs them, and a cycle has to end somewhere. */
const maxDepth = 6;

/**
 * Masks secrets among a child logger's own fields, which pino passes through serializers alone and by exact name: here only the
 * spellings that are in use.
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

/** A copy with every secret field masked; `Authorization`, `auth_token` and `authToken` are caught alike. */
export function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return redactObject(fields, 0);
}

function redactObject(fields: object, depth: number): Record<string, unknown> {
  const redacted = Object.entries(fields).map(
    ([name, value]) => [name, redactEntry(name, value, depth)] as const,
  );
  return Object.fromEntries(redacted);
}

function redactEntry(name: string, value: unknown, depth: number): unknown {
  if (!secretNames.has(name.toLowerCase().replace(/[-_]/g, ""))) return redactValue(value, depth);
  return maskValue(value);
}

/** That a secret is missing is worth knowing and gives nothing away. */
function maskValue(value: unknown): unknown {
  return value === null || value === undefined ? value : mask;
}

function redactValue(value: unknown, depth: number): unknown {
  if (value instanceof Error) return depth === 0 ? value : serializeError(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= maxDepth) return "[cut]";
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return isPlain(value) ? redactObject(value, depth + 1) : value;
}

/** Sockets, requests and other class instances are left to pino, which writes what their `toJSON` says. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Chosen fields only: pino's own serializer copies every property of an error, and HTTP client errors carry the request's
 * headers with them.
 */
export function serializeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error ? { code: error.code } : {};
  const cause =
    error.cause === undefined || depth >= 3 ? {} : { cause: serializeError(error.cause, depth + 1) };
  return { type: error.name, ...code, message: error.message, stack: error.stack, ...cause };
}
