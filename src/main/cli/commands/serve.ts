import { loadConfig } from "../../config/load-config.js";
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
    "SIGHUP reads the configuration anew, the files it names included, and applies what needs no restart: tokens, log level, " +
      "allowed hosts and origins, and limits. Where the terminal that it runs in is closed, it stops as by SIGTERM.",
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
      const { events, createService, env, machine } = context;
      const readConfig = () => loadConfig({ argv: input.configArgv, env, machine });
      const code = await serve({ config, logger, events, createService, readConfig });
      context.exit(code);
      return code;
    }),
};
