import { options } from "../../config/options.js";
import type { CliContext } from "../cli-context.js";
import { type ConfiguredCommand, jsonFlag } from "../command.js";
import { type Finding, type FindingStatus, judge } from "../doctor/finding.js";
import { exitCodes } from "../exit-codes.js";
import { watchInterruption } from "../interruption.js";
import { print, printJson } from "../outcome.js";
import { makePaint, type Paint } from "../terminal.js";

export const doctorCommand: ConfiguredCommand = {
  name: "doctor",
  summary: "check everything that the service needs, and say how to repair faults",
  details: [
    "Checks the configuration, the Codex binary, the state directory, the port, the folders of readable files and the way to the model " +
      "backend (which proxy, and whether it lets Codex through, by this shell's environment), then connects to Codex and asks it for " +
      "login and plan. It asks no model, so that it costs nothing. Each line is ok, warn or fail; with any fail the command ends with 1.",
    "With --turn it asks each listed model for one word, and shows the form of its requests, the time to the first word, and the " +
      "tokens used. Paste these lines into a report.",
  ],
  flags: [
    {
      name: "turn",
      placeholder: null,
      description: "Ask each listed model for one word, which uses the plan.",
    },
    jsonFlag("{status, findings: [{check, status, found, advice}]}, for programs."),
  ],
  operands: null,
  options: [
    options.config,
    options.listen.port,
    options.codex.bin,
    options.codex.userHome,
    options.codex.stateDir,
  ],
  examples: ["doctor", "doctor --turn", "doctor --json | jq -e '.status != \"fail\"'"],
  exits: ["done", "failed", "configuration", "interrupted"],
  run: async (context, input, loaded) => {
    const { examine } = await import("../doctor/examine.js");
    const signal = watchInterruption(context);
    const findings = await examine({ context, loaded, signal, turns: input.flags.has("turn") });
    if (signal.aborted) return exitCodes.interrupted;
    const status = judge(findings);
    if (input.flags.has("json")) printJson(context, { object: "doctor.report", status, findings });
    else print(context, renderReport(context, findings, status));
    return status === "fail" ? exitCodes.failed : exitCodes.done;
  },
};

const colours = { ok: "green", warn: "yellow", fail: "red" } as const;
const verdicts = { ok: "all is well", warn: "it works; see the warnings", fail: "it does not work yet" };
const checkWidth = 15;

function renderReport(context: CliContext, findings: readonly Finding[], status: FindingStatus): string {
  const paint = makePaint(context.stdout, context.env);
  const lines = findings.map((finding) => renderFinding(finding, paint));
  return `${lines.join("")}${paint(verdicts[status], colours[status])}\n`;
}

function renderFinding({ check, status, found, advice }: Finding, paint: Paint): string {
  const head = `${paint(status.padEnd(4), colours[status])}  ${check.padEnd(checkWidth)}${found}\n`;
  return advice === null ? head : `${head}${" ".repeat(6 + checkWidth)}do: ${advice}\n`;
}
