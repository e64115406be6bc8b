import { options } from "../../config/options.js";
import type { CliContext } from "../cli-context.js";
import { type Command, jsonFlag } from "../command.js";
import { print, withConfig } from "../configured.js";
import { type Finding, type FindingStatus, judge } from "../doctor/finding.js";
import { exitCodes } from "../exit-codes.js";
import { watchInterruption } from "../interruption.js";
import { makePaint, type Paint } from "../terminal.js";

export const doctorCommand: Command = {
  name: "doctor",
  summary: "check that everything is in place, and say what to do where it is not",
  details: [
    "Looks at the configuration, the Codex binary, the state directory and the port, then shakes hands with Codex and asks " +
      "it for login and plan. No model is asked anything, so it costs nothing. Each line is ok, warn or fail; one fail " +
      "ends it with 1.",
    "With --turn each listed model is asked for one word: whether it answers in the form that requests have, when its first word " +
      "comes, and how many tokens that took. The lines are made to be pasted into a report.",
  ],
  flags: [
    { name: "turn", placeholder: null, description: "Ask each listed model for one word, on the plan." },
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
  run: (context, input) =>
    withConfig(context, input, async (loaded) => {
      const { examine } = await import("../doctor/examine.js");
      const signal = watchInterruption(context);
      const findings = await examine(context, loaded, signal, { turns: input.flags.has("turn") });
      if (signal.aborted) return exitCodes.interrupted;
      const status = judge(findings);
      const report = { object: "doctor.report", status, findings };
      const isJson = input.flags.has("json");
      print(
        context,
        isJson ? `${JSON.stringify(report, null, 2)}\n` : renderReport(context, findings, status),
      );
      return status === "fail" ? exitCodes.failed : exitCodes.done;
    }),
};

const colours = { ok: "green", warn: "yellow", fail: "red" } as const;
const checkWidth = 15;

function renderReport(context: CliContext, findings: readonly Finding[], status: FindingStatus): string {
  const paint = makePaint(context.stdout, context.env);
  const lines = findings.map((finding) => renderFinding(finding, paint));
  const verdict = { ok: "all is well", warn: "it works; see the warnings", fail: "it does not work yet" }[
    status
  ];
  return `${lines.join("")}${paint(verdict, colours[status])}\n`;
}

function renderFinding({ check, status, found, advice }: Finding, paint: Paint): string {
  const head = `${paint(status.padEnd(4), colours[status])}  ${check.padEnd(checkWidth)}${found}\n`;
  return advice === null ? head : `${head}${" ".repeat(6 + checkWidth)}do: ${advice}\n`;
}
