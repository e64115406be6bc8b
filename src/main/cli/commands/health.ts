import { options } from "../../config/options.js";
import type { CliContext } from "../cli-context.js";
import { type Command, type CommandInput, jsonFlag, textOf } from "../command.js";
import { print, refuseFaults, withConfig } from "../configured.js";
import { accountOf, describeAccount, describeWindow, windowsOf } from "../describe-account.js";
import { exitCodes } from "../exit-codes.js";
import type { ServiceReport } from "../service-report.js";
import { makePaint } from "../terminal.js";
import { type FoundService, withService } from "../with-service.js";

const defaultTimeoutMs = 5_000;
const maxTimeoutMs = 3_600_000;

/** Which options say where the service is and how to be let in. */
export const addressOptions = [
  options.config,
  options.listen.host,
  options.listen.port,
  options.auth.tokenFile,
];

export const healthCommand: Command = {
  name: "health",
  summary: "ask the running service how it is; the exit code is for monitors",
  details: [
    "Ends with 0 while turns can run, also with a worker short or a feature missing (degraded), and with 3 while they " +
      "cannot or no service answers.",
  ],
  flags: [
    jsonFlag("The body of GET /v1/health."),
    {
      name: "timeout-ms",
      placeholder: "MS",
      description: `How long to wait for the answer. Default: ${defaultTimeoutMs}.`,
    },
  ],
  operands: null,
  options: addressOptions,
  examples: ["health", "health --json | jq .native_runtime.rate_limits"],
  exits: ["done", "configuration", "notReady"],
  run: (context, input) =>
    withConfig(context, input, ({ config }) => {
      const timeoutMs = readTimeout(input);
      if (timeoutMs === null) {
        const problem = `takes an integer from 1 to ${maxTimeoutMs} (milliseconds)`;
        return refuseFaults(context, [{ source: "--timeout-ms", given: null, problem }], "the command line");
      }
      return withService(context, config, timeoutMs, (client, found) =>
        tellHealth(context, input, client.baseUrl, found),
      );
    }),
};

function readTimeout(input: CommandInput): number | null {
  const text = textOf(input, "timeout-ms");
  if (text === null) return defaultTimeoutMs;
  const timeoutMs = /^\d{1,8}$/.test(text) ? Number(text) : 0;
  return timeoutMs >= 1 && timeoutMs <= maxTimeoutMs ? timeoutMs : null;
}

function tellHealth(
  context: CliContext,
  input: CommandInput,
  baseUrl: string,
  { report, body }: FoundService,
): number {
  print(
    context,
    input.flags.has("json") ? `${JSON.stringify(body, null, 2)}\n` : summarize(context, baseUrl, report),
  );
  return report.status === "unavailable" ? exitCodes.notReady : exitCodes.done;
}

function summarize(context: CliContext, baseUrl: string, report: ServiceReport): string {
  const paint = makePaint(context.stdout, context.env);
  const colour = ({ ok: "green", degraded: "yellow", unavailable: "red" } as const)[report.status];
  const { native_runtime: native } = report;
  const account = accountOf(report);
  const ready = native.workers.filter(({ state }) => state === "ready").length;
  const lines = [
    `${paint(report.status, colour)}: ${baseUrl}, version ${report.version}`,
    native.reason === null ? null : `why: ${native.reason.message} (${native.reason.code})`,
    native.degraded.length === 0 ? null : `without: ${native.degraded.join(", ")}`,
    `codex: ${native.codex_version ?? "not running"}, ${account === null ? "not logged in" : describeAccount(account)}`,
    `load: ${native.queue.running} running, ${native.queue.depth} waiting, ${ready} of ${native.workers.length} workers ready`,
    ...windowsOf(report).map((window) => describeWindow(window, context.wallClock())),
  ];
  return `${lines.filter((line) => line !== null).join("\n")}\n`;
}
