import type { Command } from "./command.js";
import { askCommand } from "./commands/ask.js";
import { completionCommand } from "./commands/completion.js";
import { configCommand } from "./commands/config.js";
import { doctorCommand } from "./commands/doctor.js";
import { healthCommand } from "./commands/health.js";
import { helpCommand } from "./commands/help.js";
import { loginCommand } from "./commands/login.js";
import { modelsCommand } from "./commands/models.js";
import { serveCommand } from "./commands/serve.js";
import { serviceCommand } from "./commands/service.js";

/** Every command, in the order they are shown. */
export const commands: readonly Command[] = [
  serveCommand,
  doctorCommand,
  loginCommand,
  askCommand,
  healthCommand,
  modelsCommand,
  serviceCommand,
  configCommand,
  completionCommand,
  helpCommand,
];
