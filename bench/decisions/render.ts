/** An evaluation as Markdown, for a terminal and for the file that is kept. */
import type { Figures, WayReport } from "./evaluate.js";

export interface EvaluationRecord {
  readonly startedAt: string;
  /** Whose answers these are: the figures of an offline run show that the evaluation works, and say nothing about a model. */
  readonly model: "real" | "offline";
  readonly codex: string;
  readonly package: string;
  readonly commit: string | null;
  readonly ways: readonly WayReport[];
}

const head = [
  "| task | language | way | cases | right | Brier | calibration error | steps off | swayed | p50 ms | p95 ms | output tokens | declined | failed |",
  "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
];

export function renderEvaluation(record: EvaluationRecord): string {
  const { ways } = record;
  const rows = (ways[0]?.byTask ?? []).flatMap(({ task, language }) =>
    ways.flatMap(({ way, byTask }) => {
      const found = byTask.find((row) => row.task === task && row.language === language);
      return found === undefined ? [] : [renderFigures([task, language, way], found.figures)];
    }),
  );
  return [
    `Codex ${record.codex}, Codex Native API ${record.package}${record.commit === null ? "" : ` (${record.commit})`}, ${record.startedAt}.`,
    "",
    record.model === "offline"
      ? "**Offline: a scripted model answered. These figures show that the evaluation works, and say nothing about a model.**"
      : `Models: ${ways.map(({ way, models }) => `${way} ${models.join(", ")}`).join("; ")}.`,
    "",
    ...head,
    ...rows,
    ...ways.map(({ way, all }) => renderFigures(["all", "", way], all)),
    ...ways.flatMap(renderReliability),
    ...ways.flatMap(({ way, faults }) => faults.map((fault) => `\n${way} failed: ${fault}`)),
    "",
  ].join("\n");
}

function renderFigures(names: readonly string[], figures: Figures): string {
  const cells = [
    ...names,
    figures.cases,
    percent(figures.accuracy),
    decimal(figures.brier),
    decimal(figures.calibrationError),
    decimal(figures.meanStepsOff),
    percent(figures.swayed),
    whole(figures.medianMs),
    whole(figures.p95Ms),
    whole(figures.meanOutputTokens),
    figures.declined,
    figures.failed,
  ];
  return `| ${cells.join(" | ")} |`;
}

function renderReliability({ way, reliability }: WayReport): readonly string[] {
  return [
    "",
    `Reliability of ${way}: of the answers stated with a probability of …, so many were right.`,
    "",
    "| stated | cases | mean stated | right |",
    "| --- | --- | --- | --- |",
    ...reliability.map(
      ({ from, to, count, stated, right }) =>
        `| ${from.toFixed(1)} to ${to.toFixed(1)} | ${count} | ${decimal(stated)} | ${percent(right)} |`,
    ),
  ];
}

function percent(value: number | null): string {
  return value === null ? "" : `${(100 * value).toFixed(1)} %`;
}

function decimal(value: number | null): string {
  return value === null ? "" : value.toFixed(3);
}

function whole(value: number | null): string {
  return value === null ? "" : String(Math.round(value));
}
