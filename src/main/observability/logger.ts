import {
  type DestinationStream,
  destination,
  type Logger,
  type LoggerOptions,
  pino,
  stdTimeFunctions,
} from "pino";
import { bindingSerializers, redactFields, serializeError } from "./redaction.js";
import { formatLogLine } from "./text-format.js";

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
