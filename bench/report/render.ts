import type { Spread } from "../measure/statistics.js";
import { type Figure, judge } from "./figure.js";
import type { RunRecord, ScenarioRecord } from "./run-record.js";

/** The whole run as Markdown. */
export function renderMarkdown(run: RunRecord): string {
  return [
    `# Benchmark of ${run.startedAt}`,
    "",
    ...describeRun(run),
    "",
    ...run.scenarios.flatMap((scenario) => [...renderScenario(scenario), ""]),
    ...renderVerdict(run.scenarios),
    "",
  ].join("\n");
}

/** One scenario as Markdown: also readable as plain text. */
export function renderScenario(scenario: ScenarioRecord): string[] {
  const { title, seconds, outcome } = scenario;
  const head = [`## ${title}`, ""];
  if (outcome.status === "failed")
    return [...head, `Failed after ${seconds.toFixed(0)} s: ${outcome.reason}`];
  if (outcome.status === "skipped") return [...head, `Skipped: ${outcome.reason}`];
  const { figures, remarks } = outcome.result;
  const rows = figures.map(renderFigure);
  const table = renderTable(["", "median", "min … max", "target", ""], rows);
  const leftovers = scenario.leftovers.map((fault) => `at its end: ${fault}`);
  const notes = [...remarks, ...leftovers].map((line) => `- ${line}`);
  return [...head, ...table, ...blankBefore(notes)];
}

function describeRun({ machine, versions, mode, configuration }: RunRecord): string[] {
  return [
    `${mode} run on ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.kernel}, ` +
      `load ${machine.loadBefore.toFixed(1)} before and ${machine.loadAfter.toFixed(1)} after.`,
    `Node ${versions.node}, Codex ${versions.codex}, codex-native-api ${versions.package}${versions.commit === null ? "" : ` (${versions.commit})`}.`,
    `${configuration.summary} Ratios are of medians within one round; the table has the median, least and greatest of the rounds.`,
  ];
}

/** What was reached, and by name what was not. */
export function renderVerdict(scenarios: readonly ScenarioRecord[]): string[] {
  const verdicts = scenarios
    .flatMap(({ outcome }) => (outcome.status === "done" ? outcome.result.figures : []))
    .map((figure) => ({ figure, verdict: judge(figure) }))
    .filter(({ verdict }) => verdict !== null);
  const missed = verdicts.filter(({ verdict }) => verdict !== "reached");
  return [
    `${verdicts.length - missed.length} of ${verdicts.length} targets reached.`,
    ...missed.map(({ figure, verdict }) => `- ${verdict}: ${figure.what}`),
  ];
}

function renderFigure(figure: Figure): string[] {
  const { what, unit, spread, target } = figure;
  const wanted = target === null ? "" : `${target.direction} ${format(target.value, unit)}`;
  return [what, format(spread.median, unit), renderRange(spread), wanted, judge(figure) ?? ""];
}

function renderRange({ min, max, count }: Spread): string {
  return count < 2 ? "" : `${format(min, "")} … ${format(max, "")} (${count})`;
}

function format(value: number, unit: Figure["unit"]): string {
  if (!Number.isFinite(value)) return "none";
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const number = value.toFixed(digits);
  return unit === "" ? number : `${number} ${unit}`;
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const renderRow = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [renderRow(head), rule, ...rows.map(renderRow)];
}

function blankBefore(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", ...lines];
}
