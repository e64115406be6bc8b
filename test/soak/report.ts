/** Judges the waits of normal callers and what the phases came to. */
import type { Wait } from "./normal-callers.js";
import { findLawful, isLawfulOutcome, type Phase } from "./phase.js";

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One round of a phase, up to the begin of the next, and the waits that are judged by its figure. */
export interface PhaseRun {
  readonly phase: Phase;
  readonly beganMs: number;
  readonly waits: JudgedWait[];
  readonly outcomes: Map<string, number>;
}

export interface JudgedWait extends Wait {
  /** The way in which a phase allowed its failure; undefined if none did, or it did not fail. */
  readonly lawful: string | undefined;
}

/** All rounds that the wait lasted through. */
function findRounds(
  runs: readonly PhaseRun[],
  { beganMs, endedMs }: Pick<Wait, "beganMs" | "endedMs">,
): readonly PhaseRun[] {
  return runs.filter(
    (run, index) =>
      run.beganMs <= endedMs && (runs[index + 1]?.beganMs ?? Number.POSITIVE_INFINITY) > beganMs,
  );
}

/**
 * The round that a wait counts in: of all that it lasted through, the one that allows the longest wait. What was asked for just
 * before a fault began has to outlive that fault too.
 */
export function findJudge(
  runs: readonly PhaseRun[],
  wait: Pick<Wait, "beganMs" | "endedMs">,
): PhaseRun | undefined {
  const [first, ...others] = findRounds(runs, wait);
  return others.reduce(
    (judge, run) => (judge === undefined || run.phase.maxWaitMs > judge.phase.maxWaitMs ? run : judge),
    first,
  );
}

/** Counts the wait in its round; false: it was over before the first one. A failure counts where it is lawful. */
export function judge(runs: readonly PhaseRun[], wait: Wait): boolean {
  const allowing = findRounds(runs, wait).find(({ phase }) => findLawful(phase, wait) !== undefined);
  const round = allowing ?? findJudge(runs, wait);
  round?.waits.push({ ...wait, lawful: allowing && findLawful(allowing.phase, wait)?.shown });
  return round !== undefined;
}

/** All rounds of a phase together. */
export interface PhaseRow {
  readonly name: string;
  readonly rounds: number;
  readonly answers: number;
  readonly failed: number;
  readonly medianMs: number;
  readonly longestMs: number;
  readonly maxWaitMs: number;
  readonly longestProbeMs: number;
  /** How normal callers failed as they may. */
  readonly lawful: Readonly<Record<string, number>>;
  /** What the phase's own callers and faults came to. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly findings: readonly string[];
}

/** Most findings of a kind that are told one by one. */
const maxTold = 5;

export function makeRows(runs: readonly PhaseRun[]): readonly PhaseRow[] {
  return [...new Set(runs.map(({ phase }) => phase))].map((phase) =>
    makeRow(
      phase,
      runs.filter((run) => run.phase === phase),
    ),
  );
}

function makeRow(phase: Phase, rounds: readonly PhaseRun[]): PhaseRow {
  const waits = rounds.flatMap((run) => run.waits);
  const asked = sortByLength(waits.filter(({ what }) => what !== "probe"));
  const probes = sortByLength(waits.filter(({ what }) => what === "probe"));
  const lawful = addUp(waits.flatMap(({ lawful }) => (lawful === undefined ? [] : [new Map([[lawful, 1]])])));
  const failed = waits.filter((wait) => wait.failure !== null && wait.lawful === undefined);
  const outcomes = addUp(rounds.map((run) => run.outcomes));
  const late = [...asked, ...probes].filter(
    (wait) => !failed.includes(wait) && lengthOf(wait) > phase.maxWaitMs,
  );
  const unlawful = [...outcomes].filter(([outcome]) => !isLawfulOutcome(phase, outcome));
  const findings = [
    ...bound(failed.map((wait) => `${wait.what} failed ${describe(wait)}`)),
    ...bound(late.map((wait) => `${wait.what} took ${inSeconds(lengthOf(wait))}`)),
    ...unlawful.map(([outcome, number]) => `its own callers got '${outcome}' ${number} times`),
  ];
  return {
    name: phase.name,
    rounds: rounds.length,
    answers: asked.length,
    failed: failed.length,
    medianMs: lengthOf(asked[Math.floor(asked.length / 2)]),
    longestMs: lengthOf(asked.at(-1)),
    maxWaitMs: phase.maxWaitMs,
    longestProbeMs: lengthOf(probes.at(-1)),
    lawful: Object.fromEntries(lawful),
    outcomes: Object.fromEntries(outcomes),
    findings: findings.map((finding) => `${phase.name}: ${finding}`),
  };
}

function bound(lines: readonly string[]): readonly string[] {
  const more = lines.length - maxTold;
  return more <= 0 ? lines : [...lines.slice(0, maxTold), `${more} more like these`];
}

export const inSeconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;
const lengthOf = (wait: Wait | undefined) => (wait === undefined ? 0 : wait.endedMs - wait.beganMs);

function describe(wait: Wait): string {
  const flaw = wait.failure?.flaw ?? null;
  return (
    `after ${inSeconds(lengthOf(wait))}, ${wait.wasCut ? "in" : "before"} its output: ` +
    `${wait.failure?.text}${flaw === null ? "" : ` (${flaw})`}`
  );
}

function sortByLength(waits: readonly JudgedWait[]): readonly JudgedWait[] {
  return [...waits].sort((a, b) => lengthOf(a) - lengthOf(b));
}

function addUp(tables: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const sum = new Map<string, number>();
  for (const [key, number] of tables.flatMap((table) => [...table]))
    sum.set(key, (sum.get(key) ?? 0) + number);
  return sum;
}

export function describeCounts(counts: Readonly<Record<string, number>>): string {
  return (
    Object.entries(counts)
      .map(([outcome, number]) => `${outcome}: ${number}`)
      .join("; ") || "–"
  );
}
