import { options } from "../../config/options.js";
import type { CliContext } from "../cli-context.js";
import { type ConfiguredCommand, integerOf, jsonFlag } from "../command.js";
import { describeAccount, describeWindow, windowsOf } from "../describe-account.js";
import { exitCodes } from "../exit-codes.js";
import { print, printJson, refusalOfFlag } from "../outcome.js";
import { makePaint } from "../terminal.js";
import { type FoundService, withService } from "../with-service.js";

const timeouts = { min: 1, max: 3_600_000, fallback: 5_000 } as const;

/** The options for the address of the service and its token. */
export const addressOptions = [
  options.config,
  options.listen.host,
  options.listen.port,
  options.auth.tokenFile,
];

export const healthCommand: ConfiguredCommand = {
  name: "health",
  summary: "show the state of the running service; the exit code is for monitors",
  details: [
    "Ends with 0 while turns can run, even with fewer workers or features than usual (degraded), and with 3 while they " +
      "cannot or no service answers.",
  ],
  flags: [
    jsonFlag("The body of GET /v1/health."),
    {
      name: "timeout-ms",
      placeholder: "MS",
      description: `How long to wait for the answer. Default: ${timeouts.fallback}.`,
    },
  ],
  operands: null,
  options: addressOptions,
  examples: ["health", "health --json | jq .native_runtime.rate_limits"],
  exits: ["done", "configuration", "notReady"],
  run: (context, input, { config }) => {
    const timeoutMs = integerOf(input, "timeout-ms", timeouts);
    if (timeoutMs === null)
      throw refusalOfFlag(
        "timeout-ms",
        `takes an integer from ${timeouts.min} to ${timeouts.max} (milliseconds)`,
      );
    return withService(config, timeoutMs, (found) => {
      if (input.flags.has("json")) printJson(context, found.body);
      else print(context, summarize(context, found));
      return found.report.status === "unavailable" ? exitCodes.notReady : exitCodes.done;
    });
  },
};

function summarize(context: CliContext, { baseUrl, report }: FoundService): string {
  const paint = makePaint(context.stdout, context.env);
  const colour = ({ ok: "green", degraded: "yellow", unavailable: "red" } as const)[report.status];
  const { reason, degraded, account, codex_version: version, ...native } = report.native_runtime;
  const ready = native.workers.filter(({ state }) => state === "ready").length;
  const lines = [
    `${paint(report.status, colour)}: ${baseUrl}, version ${report.version}`,
    reason === null ? null : `why: ${reason.message} (${reason.code})`,
    degraded.length === 0 ? null : `without: ${degraded.join(", ")}`,
    `codex: ${version ?? "not running"}, ${account === null ? "not logged in" : describeAccount(account)}`,
    `load: ${native.queue.running} running, ${native.queue.depth} waiting, ${ready} of ${native.workers.length} workers ready`,
    ...windowsOf(native.rate_limits).map((window) => describeWindow(window, context.wallClock())),
  ];
  return `${lines.filter((line) => line !== null).join("\n")}\n`;
}
