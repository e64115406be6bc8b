/** `12:04:31.212 info  service.ready  listening  url=http://127.0.0.1:43182` from pino's JSON line. */
export function formatLogLine(line: string): string {
  const record = parseRecord(line);
  if (record === null) return line;
  const { time, level, event, msg, err, ...fields } = record;
  const head = [String(time).slice(11, 23), String(level).padEnd(5), event, msg].filter(
    (part) => part !== undefined,
  );
  const tail = Object.entries(fields).map(([name, value]) => `${name}=${formatField(value)}`);
  return `${[head.join("  "), ...tail].join("  ")}${formatError(err)}\n`;
}

function formatField(value: unknown): string {
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

/** The stack on lines of its own, since that is how people read one. */
function formatError(error: unknown): string {
  if (!isRecord(error)) return "";
  const text = typeof error.stack === "string" ? error.stack : String(error.message);
  return `\n${text.replaceAll(/^/gm, "    ")}`;
}

function parseRecord(line: string): Record<string, unknown> | null {
  const value: unknown = JSON.parse(line);
  return isRecord(value) ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
