import {
  type DestinationStream,
  destination,
  type Logger,
  type LoggerOptions,
  pino,
  stdTimeFunctions,
} from "pino";
import { isJsonObject } from "../../workers/contract/json.js";
import { bindingSerializers, redactFields, serializeError } from "./redaction.js";

export type { Logger };

export interface CreateLoggerOptions {
  readonly level: LoggerOptions["level"] & string;
  /** `text` is for people, `json` for programs. */
  readonly format: "json" | "text";
  /** Takes one whole line at a time. Default: standard output, written synchronously so that the last line before an exit is kept. */
  readonly destination?: DestinationStream;
}

/**
 * The service's logger: `logger.info({ event: "app_server.ready", pid }, "app-server is ready")`. Fields whose names say that
 * they hold a secret are masked at any depth. Prompts and header values must not be logged at info or above.
 */
export function createLogger(options: CreateLoggerOptions): Logger {
  const target = options.destination ?? openStandardOutput();
  const stream = options.format === "json" ? target : formatLines(target);
  const settings: LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: (fields) => redactFields(fields) },
    serializers: { ...bindingSerializers, err: (error: unknown) => serializeError(error) },
  };
  return pino(settings, stream);
}

/** For a host that gave no logger. Opens no file. */
export function createSilentLogger(): Logger {
  return pino({ level: "silent", base: null }, { write: () => {} });
}

/** Errors of a closed terminal, and of a pipe whose reader has left. */
const readerHasLeft: ReadonlySet<string | undefined> = new Set(["EIO", "EPIPE"]);

/** Drops lines once their reader has left: the service keeps running, and shuts down in order when asked to. */
function openStandardOutput(): DestinationStream {
  const stream = destination({ fd: 1, sync: true });
  let hasReader = true;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (!readerHasLeft.has(error.code)) throw error;
    hasReader = false;
  });
  return {
    write: (line) => {
      if (hasReader) stream.write(line);
    },
  };
}

function formatLines(target: DestinationStream): DestinationStream {
  return { write: (line) => target.write(formatLogLine(line)) };
}

/** `12:04:31.212 info  service.ready  listening  url=http://127.0.0.1:43182` from pino's JSON line. */
function formatLogLine(line: string): string {
  const record: unknown = JSON.parse(line);
  if (!isJsonObject(record)) return line;
  const { time, level, event, msg, err, ...fields } = record;
  const head = [String(time).slice(11, 23), String(level).padEnd(5), event, msg].filter(
    (part) => part !== undefined,
  );
  const tail = Object.entries(fields).map(([name, value]) => `${name}=${formatField(value)}`);
  return `${escapeControls([head.join("  "), ...tail].join("  "))}${formatError(err)}\n`;
}

/** Control characters, which a terminal obeys, and bidi characters, which change the order of a text. */
const controls = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A line may hold text from elsewhere, such as a backend's error. It must stay one line and not control the terminal. */
function escapeControls(text: string): string {
  return text.replaceAll(controls, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function formatField(value: unknown): string {
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

/** The stack on lines of its own, as people are used to read one. */
function formatError(error: unknown): string {
  if (!isJsonObject(error)) return "";
  const text = typeof error.stack === "string" ? error.stack : String(error.message);
  return text
    .split("\n")
    .map((line) => `\n    ${escapeControls(line)}`)
    .join("");
}
