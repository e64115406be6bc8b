import { allOptions } from "../../config/options.js";
import { createLogger } from "../../observability/logger.js";
import type { Command } from "../command.js";
import { withConfig } from "../configured.js";
import { serve } from "../serve.js";

export const serveCommand: Command = {
  name: "serve",
  summary: "run the service until Ctrl-C or SIGTERM",
  details: [
    "Listens at once and says codex.ready when turns can run. The first Ctrl-C or SIGTERM lets the turns in flight end; " +
      "a second one stops at once.",
  ],
  flags: [],
  operands: null,
  options: allOptions,
  examples: ["serve", "serve --port 8080 --auth-token-file ~/.config/codex-native-api/token"],
  exits: ["done", "failed", "configuration"],
  run: (context, input) =>
    withConfig(context, input, async ({ config }) => {
      const isText =
        config.logFormat === "text" || (config.logFormat === "auto" && context.stdout.isTTY === true);
      const logger = createLogger({ level: config.logLevel, format: isText ? "text" : "json" });
      const { events, createService } = context;
      const code = await serve({ config, logger, events, createService });
      context.exit(code);
      return code;
    }),
};
