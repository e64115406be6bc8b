import {
  type DestinationStream,
  destination,
  type Logger,
  type LoggerOptions,
  pino,
  stdTimeFunctions,
} from "pino";
import { isJsonObject, type JsonObject } from "../../workers/contract/json.js";
import { bindingSerializers, redactFields, serializeError } from "./redaction.js";

export type { Logger };

export interface CreateLoggerOptions {
  readonly level: LoggerOptions["level"] & string;
  /** `text` is for people; anything that reads logs wants `json`. */
  readonly format: "json" | "text";
  /** Takes one whole line at a time. Default: standard output, written synchronously so that the last line before an exit is kept. */
  readonly destination?: DestinationStream;
}

/**
 * The service's logger: `logger.info({ event: "app_server.ready", pid }, "app-server is ready")`. Fields whose names say that
 * they hold a secret are masked at any depth; prompts and header values do not belong into info or above.
 */
export function createLogger(options: CreateLoggerOptions): Logger {
  const target = options.destination ?? openStandardOutput();
  const stream = options.format === "json" ? target : formatLines(target);
  const settings: LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: redactFields },
    serializers: { ...bindingSerializers, err: (error: unknown) => serializeError(error) },
  };
  return pino(settings, stream);
}

/** For a host that gave no logger. Opens no file. */
export function createSilentLogger(): Logger {
  return pino({ level: "silent", base: null }, { write: () => {} });
}

/** A terminal that was closed takes no more lines, and neither does a pipe whose reader has left. */
const readerHasLeft: ReadonlySet<string | undefined> = new Set(["EIO", "EPIPE"]);

/** The service goes on without a log where nobody reads it any more, and stops in order when it is told to. */
function openStandardOutput(): DestinationStream {
  const stream = destination({ fd: 1, sync: true });
  let isGone = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (!readerHasLeft.has(error.code)) throw error;
    isGone = true;
  });
  return {
    write: (line) => {
      if (!isGone) stream.write(line);
    },
  };
}

function formatLines(target: DestinationStream): DestinationStream {
  return { write: (line) => target.write(formatLogLine(line)) };
}

/** `12:04:31.212 info  service.ready  listening  url=http://127.0.0.1:43182` from pino's JSON line. */
function formatLogLine(line: string): string {
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
  if (!isJsonObject(error)) return "";
  const text = typeof error.stack === "string" ? error.stack : String(error.message);
  return text
    .split("\n")
    .map((line) => `\n    ${escapeControls(line)}`)
    .join("");
}

function parseRecord(line: string): JsonObject | null {
  const value: unknown = JSON.parse(line);
  return isJsonObject(value) ? value : null;
}
