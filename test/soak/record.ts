/** A soak as it is printed and kept: what it did, what came of it, and what was not as it should be. */
import type { MachineFacts, VersionFacts } from "../../bench/report/machine.js";
import { describeCounts, inSeconds, type PhaseRow } from "./report.js";
import { show, type Trend } from "./trends.js";

export interface SoakRecord {
  readonly schema: 1;
  /** As YYYY-MM-DD. */
  readonly date: string;
  readonly minutes: number;
  readonly cycles: number;
  readonly callers: number;
  /** The part of the phases' names that was asked for; empty: all phases. */
  readonly selection: string;
  readonly wasInterrupted: boolean;
  readonly machine: MachineFacts;
  readonly versions: VersionFacts;
  readonly phases: readonly PhaseRow[];
  readonly trends: readonly Trend[];
  readonly peakServiceBytes: number;
  readonly appServerRestarts: number;
  /** Lines of the service's log at level error, by event. */
  readonly loggedErrors: Readonly<Record<string, number>>;
  readonly stop: { readonly code: number | null; readonly tookMs: number; readonly left: readonly string[] };
  readonly silentModel: readonly string[];
  /** Empty: all as it should be. */
  readonly findings: readonly string[];
}

export function renderRecord(record: SoakRecord): string {
  const { machine, versions, phases, trends } = record;
  const answers = phases.reduce((sum, row) => sum + row.answers, 0);
  return `${[
    `# Soak of ${record.date}`,
    "",
    `${record.minutes} minutes, ${record.cycles} ${record.cycles === 1 ? "cycle" : "cycles"}${record.selection === "" ? "" : ` of the phases with '${record.selection}'`}, ` +
      `${record.callers} normal callers with ${answers} answers.${record.wasInterrupted ? " It was interrupted." : ""}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.kernel}, load ${machine.loadBefore.toFixed(1)} before and ${machine.loadAfter.toFixed(1)} after.`,
    `Node ${versions.node}, Codex ${versions.codex}, codex-native-api ${versions.package} (${versions.commit ?? "no commit"}).`,
    "",
    ...renderFindings(record.findings),
    "",
    "## Phases",
    "",
    "Times are of normal callers, whose client tries a request three times. A request longer than its phase allows, and every failure",
    "that the phase does not name as lawful, is a finding. The last column is of the phase's own callers, which try once.",
    "",
    ...renderPhases(phases),
    "",
    "## From cycle to cycle",
    "",
    "Read at the end of each cycle, after a minute without requests. The line is by Theil and Sen, through all cycles but the first.",
    "",
    ...renderTrends(trends),
    "",
    `Highest memory of the service: ${show(record.peakServiceBytes, "MB")}. App-servers that took the place of another: ${record.appServerRestarts}.`,
    `Errors in the log: ${describeCounts(record.loggedErrors)}.`,
    `It stopped with code ${record.stop.code} in ${inSeconds(record.stop.tookMs)} and left behind: ${record.stop.left.join(", ") || "nothing"}.`,
    ...record.silentModel.map((line) => `Silent model: ${line}.`),
  ].join("\n")}\n`;
}

function renderFindings(findings: readonly string[]): readonly string[] {
  if (findings.length === 0) return ["All as it should be."];
  return ["Not as it should be:", "", ...findings.map((finding) => `- ${finding.replaceAll("\n", " ")}`)];
}

const phaseHead = [
  "phase",
  "rounds",
  "answers",
  "failed",
  "median",
  "longest",
  "may be",
  "longest probe",
  "lawful failures",
  "its own callers",
];

export function renderPhases(rows: readonly PhaseRow[]): readonly string[] {
  return renderTable(
    phaseHead,
    rows.map((row) => [
      row.name,
      row.rounds,
      row.answers,
      row.failed,
      inSeconds(row.medianMs),
      inSeconds(row.longestMs),
      inSeconds(row.maxWaitMs),
      inSeconds(row.longestProbeMs),
      describeCounts(row.lawful),
      describeCounts(row.outcomes),
    ]),
  );
}

export function renderTrends(trends: readonly Trend[]): readonly string[] {
  return renderTable(
    ["what", "after each cycle", "an hour", "may be", ""],
    trends.map(({ name, unit, values, perHour, maxPerHour, fault }) => [
      name,
      values.map((value) => show(value, unit)).join(", "),
      perHour === null ? "too few cycles" : show(perHour, unit),
      show(maxPerHour, unit),
      fault === null ? "flat" : "not flat",
    ]),
  );
}

function renderTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): readonly string[] {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)];
}
