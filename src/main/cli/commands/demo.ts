/** `demo`: the whole service without a login. Only the model is not real: an offline one on loopback answers in its place. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import { createDeferred, settlesWithin, waitWithin } from "../../../workers/contract/wait.js";
import { removeTree } from "../../codex/home/private-files.js";
import { type ConfigFault, faultAt } from "../../config/faults.js";
import { createConfig } from "../../config/load-config.js";
import type { Environment } from "../../config/machine.js";
import { options } from "../../config/options.js";
import type { CodexNativeApiConfig } from "../../config/types.js";
import { createLogger, type Logger } from "../../observability/logger.js";
import { networkVariables } from "../../outbound/outbound-route.js";
import type { CliContext, DemoModel, ServableService, StartDemoModel } from "../cli-context.js";
import type { CommandInput, ConfiguredCommand, LoadedConfig } from "../command.js";
import { exitCodes } from "../exit-codes.js";
import { programName } from "../help.js";
import { CommandRefusal, note, print, refusalOf, refusalOfAnswer, refusalOfFaults } from "../outcome.js";
import { stopBudgetMs } from "../serve.js";
import { describeStartFault, formatStartFault } from "../start-fault.js";
import { showSafely } from "../terminal.js";

/** Loads the offline model, which is no part of this bundle: nobody else pays for it, and a package without it still serves. */
export async function loadDemoModel(file: URL): Promise<StartDemoModel> {
  const loaded: unknown = await import(file.href);
  if (!hasStart(loaded)) throw new Error(`${file.pathname} has no offline model`);
  return loaded.startDemoModel;
}

function hasStart(loaded: unknown): loaded is { readonly startDemoModel: StartDemoModel } {
  return (
    typeof loaded === "object" &&
    loaded !== null &&
    "startDemoModel" in loaded &&
    typeof loaded.startDemoModel === "function"
  );
}

const ownOptions = [options.listen.port, options.codex.bin];
const readyTimeoutMs = 60_000;
/** Nobody waits for an offline model's answer. */
const shutdownGraceMs = 1_000;
const answerTimeoutMs = 60_000;

export const demoCommand: ConfiguredCommand = {
  name: "demo",
  summary: "try the service without a login: the real Codex on an offline model",
  details: [
    "Starts the service and a real `codex app-server` in a temporary folder, with a login and a model that exist on this machine alone; " +
      "sends one visible request, and serves until Ctrl-C. It does not touch your login, your configuration or a running service, and " +
      "leaves nothing behind.",
    "Where the port is taken it says so and takes a free one. Where Codex is not installed it prints the command that installs it, and " +
      "ends with 2.",
  ],
  flags: [{ name: "once", placeholder: null, description: "End after the answer." }],
  operands: null,
  options: ownOptions,
  examples: ["demo", "demo --port 8080"],
  exits: ["done", "failed", "configuration", "interrupted"],
  run: async (context, input, loaded) => {
    refuseOtherFlags(loaded);
    await requireCodex(context, loaded.config);
    const code = await demo(context, input, loaded);
    // A terminal that has closed needs more than an exit code.
    context.exit(code);
    return code;
  },
};

/** The demo has a place, a login and a model of its own: to ignore a flag that names another would be a surprise. */
function refuseOtherFlags({ origins }: LoadedConfig): void {
  const known = [...ownOptions, options.config].map(({ key }) => key);
  const faults: ConfigFault[] = [];
  for (const [key, { layer, name }] of origins) {
    if (layer === "flag" && !known.includes(key))
      faults.push(faultAt(name, "is for serve; the demo takes --port, --codex-bin and --once"));
  }
  if (faults.length > 0) throw refusalOfFaults(faults, "the command line");
}

/** Before anything is started: without Codex there is nothing to show. */
async function requireCodex(context: CliContext, { codex }: CodexNativeApiConfig): Promise<void> {
  const { locateCodexBinary } = await import("../../codex/binary/codex-binary.js");
  await locateCodexBinary({ configured: codex.bin, env: context.env }).catch((error: unknown) => {
    if (codex.bin !== null) throw new CommandRefusal(error instanceof Error ? error.message : String(error));
    const { install } = describeInstallation(context);
    throw new CommandRefusal(
      `Codex is not installed, and the demo runs the real one. Install it, then run the demo again:\n\n  ${install}\n`,
    );
  });
}

/** How this package was installed decides how it is called, and where Codex has to be for it. */
function describeInstallation({ self, machine }: CliContext): {
  readonly install: string;
  readonly call: string;
} {
  const path = self.cliPath.replaceAll("\\", "/");
  const at = path.indexOf("/node_modules/");
  const isInNpx = path.includes("/_npx/");
  const isInProject =
    at > 0 && !isInNpx && machine.readFile(`${path.slice(0, at)}/package.json`).kind === "text";
  const call = isInProject || isInNpx ? `npx ${programName}` : programName;
  if (!isInProject) return { install: "npm install -g @openai/codex", call };
  const install = path.includes("/node_modules/.pnpm/") ? "pnpm add" : "npm install";
  return { install: `${install} @openai/codex`, call };
}

async function demo(context: CliContext, input: CommandInput, loaded: LoadedConfig): Promise<number> {
  const stops = watchStops(context);
  print(context, "Starting the real Codex with an offline model and a throw-away login ...\n");
  const directory = await mkdtemp(join(tmpdir(), "codex-native-api-demo-"));
  try {
    const model = await context.startDemoModel(join(directory, "codex"));
    try {
      const started = await startService({ context, directory, model, loaded }, loaded.config.listen.port);
      return await runDemo(context, started, stops, input.flags.has("once"));
    } finally {
      await model.close();
    }
  } finally {
    await removeTree(directory);
  }
}

interface Stops {
  /** Aborts at the first Ctrl-C, or when the terminal closes. */
  readonly first: AbortSignal;
  /** Aborts at the second. */
  readonly second: AbortSignal;
}

/** The third Ctrl-C ends the process at once. */
function watchStops({ events, exit }: CliContext): Stops {
  const [first, second] = [new AbortController(), new AbortController()];
  const stop = () => {
    if (second.signal.aborted) exit(exitCodes.interrupted);
    if (first.signal.aborted) second.abort();
    first.abort();
  };
  events.onSignal(stop);
  events.onHangup((isTerminalGone) => {
    if (isTerminalGone) stop();
  });
  return { first: first.signal, second: second.signal };
}

interface DemoParts {
  readonly context: CliContext;
  readonly directory: string;
  readonly model: DemoModel;
  readonly loaded: LoadedConfig;
}

interface Started {
  readonly service: ServableService;
  readonly url: string;
  readonly logger: Logger;
}

async function startService(parts: DemoParts, port: number): Promise<Started> {
  const { context, directory, model, loaded } = parts;
  const { bin } = loaded.config.codex;
  const created = createConfig({
    listen: { port },
    codex: {
      ...(bin !== null && { bin }),
      userHome: join(directory, "codex"),
      stateDir: join(directory, "state"),
    },
    shutdownGraceMs,
  });
  if (!created.ok) throw refusalOfFaults(created.faults, "the demo's configuration");
  const logger = createLogger({ level: "warn", format: "text" });
  const environment = { ...withoutRoutes(context.env), ...model.environment };
  const service = await context.createService({ config: created.config, logger, environment });
  try {
    const { url } = await service.start();
    if (url !== null) return { service, url, logger };
  } catch (error) {
    const fault = await describeStartFault(error, created.config);
    if (fault?.code !== "EADDRINUSE" || port === 0)
      throw fault === null ? error : new CommandRefusal(formatStartFault(fault), fault.exitCode);
    note(context, `${fault.found}; the demo takes a free port instead`);
    return startService(parts, 0);
  }
  throw new CommandRefusal("the service did not start", exitCodes.failed);
}

/** Without this machine's proxies, which lead away from loopback, and without settings of another Codex or its keys. */
function withoutRoutes(env: Environment): Environment {
  const proxies: readonly string[] = networkVariables.proxies;
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !proxies.includes(name) && !/^(CODEX|OPENAI)_/.test(name)),
  );
}

async function runDemo(
  context: CliContext,
  { service, url, logger }: Started,
  { first, second }: Stops,
  isOnce: boolean,
): Promise<number> {
  second.addEventListener("abort", () => void service.destroy().catch(() => {}), { once: true });
  try {
    const readiness = await waitWithin(service.untilSettled(readyTimeoutMs), { signal: first }, () => null);
    if (readiness === null) return exitCodes.interrupted;
    if (!readiness.ready) throw refusalOf(readiness.error.code, readiness.error.message);
    const isAnswered = await showOneRequest(context, url, first);
    if (!isAnswered) return exitCodes.interrupted;
    if (isOnce) return exitCodes.done;
    print(context, renderNextSteps(context, url));
    // From here on each request shows as a line, and before that it would be in the middle of the answer.
    logger.level = "info";
    await waitWithin(createDeferred<never>().promise, { signal: first }, () => null);
    logger.level = "warn";
    return print(context, "\nStopping, and removing what the demo has made.\n");
  } finally {
    if (!(await settlesWithin(service.stop(), stopBudgetMs({ shutdownGraceMs })))) await service.destroy();
  }
}

/** False where Ctrl-C ended it. */
async function showOneRequest(context: CliContext, url: string, stopped: AbortSignal): Promise<boolean> {
  const { ServiceClient } = await import("../service-client.js");
  const client = new ServiceClient(url, null);
  const body = { input: "hello", stream: true };
  print(context, `\nPOST ${url}/v1/responses  ${JSON.stringify(body)}\n\n  `);
  try {
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(answerTimeoutMs)]);
    const answer = await client.post("/v1/responses", body, signal);
    if (!("events" in answer)) throw refusalOfAnswer(answer);
    for await (const event of answer.events) showEvent(context, event);
    return true;
  } catch (error) {
    if (stopped.aborted) return false;
    throw error;
  } finally {
    await client.destroy();
  }
}

function showEvent(context: CliContext, { type, delta, response }: JsonObject): void {
  if (type === "response.output_text.delta" && typeof delta === "string") print(context, showSafely(delta));
  if (type !== "response.completed" && type !== "response.failed") return;
  const { id, model, usage, error } = isJsonObject(response) ? response : {};
  if (isJsonObject(error)) throw refusalOf(String(error.code), String(error.message));
  print(context, `\n\n  ${type}: ${String(id)}, model ${String(model)}\n  usage: ${JSON.stringify(usage)}\n`);
}

function renderNextSteps(context: CliContext, url: string): string {
  const { call } = describeInstallation(context);
  return `
The page, in a browser:

  ${url}/

Next, from another terminal: a request of your own; then your own account, and the service on it.

  curl ${url}/v1/responses -H 'content-type: application/json' -d '{"input": "hello"}'
  ${call} login
  ${call} serve

The demo serves until Ctrl-C; each request shows below.
`;
}
