import { dirname } from "node:path";
import { locateDefaultConfigFile } from "../../config/machine.js";
import { options } from "../../config/options.js";
import type { CliContext } from "../cli-context.js";
import { type CommandInput, type ConfiguredCommand, integerOf, type LoadedConfig } from "../command.js";
import { exitCodes } from "../exit-codes.js";
import { CommandRefusal, note, refusalOfFlag } from "../outcome.js";
import { stopBudgetMs } from "../serve.js";
import { launchdManager } from "../service-units/launchd.js";
import { install, type Operation, showLogs, showStatus, uninstall } from "../service-units/operate.js";
import type { ServiceManager } from "../service-units/service-manager.js";
import { fixServeArguments, readNetworkEnvironment } from "../service-units/shell-settings.js";
import { systemdManager } from "../service-units/systemd.js";

const defaultLines = 100;
/** For the end of the process, after the longest stop. */
const endMarginMs = 7_000;

export const serviceCommand: ConfiguredCommand = {
  name: "service",
  summary: "run the service in the background: systemd on Linux, launchd on macOS",
  details: [
    "The service runs as you, without root, with your login. Its unit gets the flags and environment variables of the install, " +
      "which a service manager would not see, and the proxies and certificates of your shell; a token must come from a file.",
  ],
  flags: [
    {
      name: "dry-run",
      placeholder: null,
      description: "Show what would be written and run, and do nothing.",
    },
    { name: "lines", placeholder: "N", description: `logs: how many lines back. Default: ${defaultLines}.` },
    { name: "follow", placeholder: null, description: "logs: also show new lines, until Ctrl-C." },
  ],
  operands: {
    shown: "install|uninstall|status|logs",
    max: 1,
    choices: [
      { name: "install", description: "write the unit, start it, and start it again at each login" },
      { name: "uninstall", description: "stop it and remove the unit; configuration and state stay" },
      { name: "status", description: "the service manager's report about it" },
      { name: "logs", description: "its log" },
    ],
  },
  options: [options.config, options.listen.port, options.auth.tokenFile],
  examples: ["service install --dry-run", "service install --port 8080", "service logs --follow"],
  exits: ["done", "failed", "configuration", "notReady"],
  run: (context, input, loaded) => operate(context, input, loaded),
};

async function operate(context: CliContext, input: CommandInput, loaded: LoadedConfig): Promise<number> {
  const manager = chooseManager(context);
  const operation = { context, manager, isDry: input.flags.has("dry-run") };
  switch (input.operands[0]) {
    case "install":
      return installHere(operation, input, loaded);
    case "uninstall":
      return uninstall(operation);
    case "logs": {
      const lines = integerOf(input, "lines", { min: 0, max: 999_999, fallback: defaultLines });
      if (lines === null) throw refusalOfFlag("lines", "takes a whole number");
      return showLogs(operation, { lines, follow: input.flags.has("follow") });
    }
    default:
      return showStatus(operation);
  }
}

function chooseManager({ machine, env, self }: CliContext): ServiceManager {
  if (machine.platform === "darwin") return launchdManager(machine.homeDir, self.userId);
  // The folder of the user's configuration, which holds ours.
  if (machine.platform === "linux")
    return systemdManager(dirname(dirname(locateDefaultConfigFile(machine, env))));
  throw new CommandRefusal(
    "this command works only on Linux (systemd) and macOS (launchd)",
    exitCodes.failed,
  );
}

function installHere(
  operation: Operation,
  input: CommandInput,
  { config }: LoadedConfig,
): Promise<number> | number {
  const { context } = operation;
  const { nodePath, cliPath } = context.self;
  const serve = fixServeArguments(input.configArgv, context.env, context.machine);
  const [secret] = serve.secretVariables;
  if (secret !== undefined)
    throw new CommandRefusal(
      `${secret} would be readable in the unit; put the token into a file of mode 0600 and name it with --auth-token-file`,
    );
  if (cliPath.includes("/_npx/"))
    note(context, `${cliPath} is in npx's cache, which npm may clear; install the package first`);
  const { variables, withCredentials } = readNetworkEnvironment(context.env, context.machine);
  if (withCredentials.length > 0)
    note(
      context,
      `the unit holds the value of ${withCredentials.join(", ")}, name and password included; only you can read it (mode 0600)`,
    );
  return install(operation, {
    nodePath,
    cliPath,
    serveArguments: serve.arguments,
    network: variables,
    searchPath: context.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    stopTimeoutMs: stopBudgetMs(config) + endMarginMs,
  });
}
