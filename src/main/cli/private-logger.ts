import { createLogger, type Logger } from "../observability/logger.js";
import type { CliContext } from "./cli-context.js";
import type { LoadedConfig } from "./configured.js";

/** What goes on inside is told only to those who asked for a log level, and never on standard output. */
export function createPrivateLogger(context: CliContext, { config, origins }: LoadedConfig): Logger {
  const isAskedFor = (origins.get("logLevel")?.layer ?? "default") !== "default";
  return createLogger({
    level: isAskedFor ? config.logLevel : "silent",
    format: "text",
    destination: { write: (line) => void context.stderr.write(line) },
  });
}
