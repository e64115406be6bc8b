import type { Command } from "./command.js";
import { completionCommand } from "./commands/completion.js";
import { configCommand } from "./commands/config.js";
import { healthCommand } from "./commands/health.js";
import { helpCommand } from "./commands/help.js";
import { modelsCommand } from "./commands/models.js";
import { serveCommand } from "./commands/serve.js";

/** Every command, in the order they are shown. */
export const commands: readonly Command[] = [
  serveCommand,
  healthCommand,
  modelsCommand,
  configCommand,
  completionCommand,
  helpCommand,
];
