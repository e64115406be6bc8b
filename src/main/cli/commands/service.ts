import { dirname } from "node:path";
import { locateDefaultConfigFile } from "../../config/machine.js";
import { options } from "../../config/options.js";
import type { CliContext } from "../cli-context.js";
import { type Command, type CommandInput, textOf } from "../command.js";
import { type LoadedConfig, refuse, refuseFaults, withConfig } from "../configured.js";
import { exitCodes } from "../exit-codes.js";
import { stopBudgetMs } from "../serve.js";
import { launchdManager } from "../service-units/launchd.js";
import { install, type Operation, showLogs, tellStatus, uninstall } from "../service-units/operate.js";
import type { ServiceManager } from "../service-units/service-manager.js";
import { fixServeArguments, readNetworkEnvironment } from "../service-units/shell-settings.js";
import { systemdManager } from "../service-units/systemd.js";

const defaultLines = 100;
/** Beyond what a stop may take: for the end of the process itself. */
const endMarginMs = 7_000;

export const serviceCommand: Command = {
  name: "service",
  summary: "run the service in the background: systemd on Linux, launchd on macOS",
  details: [
    "The service is yours, not the system's: no root, your own login. What flags and environment say at install is written " +
      "into its unit, since a service manager sees neither, with the proxies and certificates of your shell; a token must come " +
      "from a file.",
  ],
  flags: [
    { name: "dry-run", placeholder: null, description: "Say what would be written and run, and do nothing." },
    { name: "lines", placeholder: "N", description: `logs: how many lines back. Default: ${defaultLines}.` },
    { name: "follow", placeholder: null, description: "logs: go on with what comes, until Ctrl-C." },
  ],
  operands: {
    shown: "install|uninstall|status|logs",
    max: 1,
    choices: [
      { name: "install", description: "write the unit, start it, and start it again at each login" },
      { name: "uninstall", description: "stop it and remove the unit; configuration and state stay" },
      { name: "status", description: "what the service manager says of it" },
      { name: "logs", description: "its log" },
    ],
  },
  options: [options.config, options.listen.port, options.auth.tokenFile],
  examples: ["service install --dry-run", "service install --port 8080", "service logs --follow"],
  exits: ["done", "failed", "configuration", "notReady"],
  run: (context, input) => withConfig(context, input, (loaded) => operate(context, input, loaded)),
};

async function operate(context: CliContext, input: CommandInput, loaded: LoadedConfig): Promise<number> {
  const manager = chooseManager(context);
  if (manager === null)
    return refuse(
      context,
      "services are known for Linux (systemd) and macOS (launchd) only",
      exitCodes.failed,
    );
  const operation = { context, manager, isDry: input.flags.has("dry-run") };
  switch (input.operands[0]) {
    case "install":
      return installHere(operation, input, loaded);
    case "uninstall":
      return uninstall(operation);
    case "logs":
      return readLogs(operation, input);
    default:
      return tellStatus(operation);
  }
}

function chooseManager({ machine, env, self }: CliContext): ServiceManager | null {
  if (machine.platform === "darwin") return launchdManager(machine.homeDir, self.userId);
  // Beside our own folder: where the user keeps configuration.
  return machine.platform === "linux"
    ? systemdManager(dirname(dirname(locateDefaultConfigFile(machine, env))))
    : null;
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
  if (secret !== undefined) {
    const text = `${secret} would stand in the unit for others to read; put the token into a file of mode 0600 and name it with --auth-token-file`;
    return refuse(context, text);
  }
  if (cliPath.includes("/_npx/"))
    context.stderr.write(
      `codex-native-api: ${cliPath} is in npx's cache, which npm may clear; install the package first\n`,
    );
  const { variables, withCredentials } = readNetworkEnvironment(context.env, context.machine);
  if (withCredentials.length > 0)
    context.stderr.write(
      `codex-native-api: the unit holds what ${withCredentials.join(", ")} says, name and password included; only you can read it (mode 0600)\n`,
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

function readLogs(operation: Operation, input: CommandInput): Promise<number> | number {
  const text = textOf(input, "lines") ?? String(defaultLines);
  if (!/^\d{1,6}$/.test(text)) {
    const fault = { source: "--lines", given: null, problem: "takes a whole number" };
    return refuseFaults(operation.context, [fault], "the command line");
  }
  return showLogs(operation, { lines: Number(text), follow: input.flags.has("follow") });
}
