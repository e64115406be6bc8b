/** `12:04:31.212 info  service.ready  listening  url=http://127.0.0.1:43182` from pino's JSON line. */
export function formatLogLine(line: string): string {
  const record = parseRecord(line);
  if (record === null) return line;
  const { time, level, event, msg, err, ...fields } = record;
  const head = [String(time).slice(11, 23), String(level).padEnd(5), event, msg].filter(
    (part) => part !== undefined,
  );
  const tail = Object.entries(fields).map(([name, value]) => `${name}=${formatField(value)}`);
  return `${escapeControls([head.join("  "), ...tail].join("  "))}${formatError(err)}\n`;
}

/** What a terminal obeys instead of showing it, and what turns the order of a text around. */
const controls = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A line may hold text from elsewhere, such as a backend's error: it must stay one line and leave the terminal alone. */
function escapeControls(text: string): string {
  return text.replaceAll(controls, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function formatField(value: unknown): string {
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

/** The stack on lines of its own, since that is how people read one. */
function formatError(error: unknown): string {
  if (!isRecord(error)) return "";
  const text = typeof error.stack === "string" ? error.stack : String(error.message);
  return text
    .split("\n")
    .map((line) => `\n    ${escapeControls(line)}`)
    .join("");
}

function parseRecord(line: string): Record<string, unknown> | null {
  const value: unknown = JSON.parse(line);
  return isRecord(value) ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
