import type { Wait } from "./normal-callers.js";
import type { Phase } from "./phases.js";
import type { Weight } from "./service-process.js";

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What was not as it should be. */
export class Findings {
  readonly #lines: string[] = [];

  check(isSo: boolean, otherwise: string): void {
    if (!isSo) this.#lines.push(otherwise);
  }

  /** Prints them, and returns the exit code. */
  say(): 0 | 1 {
    say(
      this.#lines.length === 0
        ? "\nAll as it should be."
        : `\nNot as it should be:\n${this.#lines.join("\n")}`,
    );
    return this.#lines.length === 0 ? 0 : 1;
  }
}

/** One round of a phase, up to the begin of the next, and the waits that are judged by its figure. */
export interface PhaseRun {
  readonly phase: Phase;
  readonly beganMs: number;
  readonly waits: Wait[];
  readonly outcomes: Map<string, number>;
}

/**
 * The round that a wait counts in: of all that it lasted through, the one that allows the longest wait. What was asked for just
 * before a fault began has to outlive that fault too.
 */
export function findJudge(
  runs: readonly PhaseRun[],
  { beganMs, endedMs }: Pick<Wait, "beganMs" | "endedMs">,
): PhaseRun | undefined {
  const [first, ...others] = runs.filter(
    (run, index) =>
      run.beganMs <= endedMs && (runs[index + 1]?.beganMs ?? Number.POSITIVE_INFINITY) > beganMs,
  );
  return others.reduce(
    (judge, run) => (judge === undefined || run.phase.maxWaitMs > judge.phase.maxWaitMs ? run : judge),
    first,
  );
}

const seconds = (ms: number | undefined) => `${((ms ?? 0) / 1_000).toFixed(2)} s`;
const lengthOf = ({ beganMs, endedMs }: Wait) => endedMs - beganMs;

/** A row for each phase, all its rounds together; what a normal caller must not see goes to the findings. */
export function tabulate(runs: readonly PhaseRun[], strays: readonly Wait[], findings: Findings): void {
  say("\n| phase | answers | failed | median | longest | may be | longest probe | what its callers got |");
  say("|---|---|---|---|---|---|---|---|");
  for (const phase of new Set(runs.map((run) => run.phase))) {
    const its = runs.filter((run) => run.phase === phase);
    const waits = its.flatMap((run) => run.waits);
    const asked = sortByLength(waits.filter(({ what }) => what !== "probe"));
    const probes = sortByLength(waits.filter(({ what }) => what === "probe"));
    const cut = waits.filter((wait) => isLawfulCut(phase, wait));
    const failed = waits.filter((wait) => wait.failure !== null && !cut.includes(wait));
    const outcomes = addUp(its.map((run) => run.outcomes));
    if (cut.length > 0) outcomes.set("streams cut in their output", cut.length);
    const longest = asked.at(-1);
    say(
      `| ${phase.name} | ${asked.length} | ${failed.length} | ${seconds(middleOf(asked))} | ${seconds(longest && lengthOf(longest))} | ` +
        `${seconds(phase.maxWaitMs)} | ${seconds(lengthOfLast(probes))} | ${describeOutcomes(outcomes)} |`,
    );
    for (const wait of failed)
      findings.check(false, `${phase.name}: ${wait.what} failed ${describeFailure(wait)}`);
    for (const wait of [...asked, ...probes]) {
      if (lengthOf(wait) > phase.maxWaitMs)
        findings.check(false, `${phase.name}: ${wait.what} took ${seconds(lengthOf(wait))}`);
    }
    const broken = [...outcomes.keys()].filter((outcome) => /^50[02]/.test(outcome));
    findings.check(broken.length === 0, `${phase.name}: bad callers got ${broken.join(", ")}`);
  }
  for (const { what, failure } of strays)
    findings.check(failure === null, `before the first phase: ${what} failed: ${failure}`);
  say("");
}

/**
 * A stream whose output had begun when its app-server was stopped: it cannot be run again under its reader's eyes, and has to
 * end with the code for it.
 */
function isLawfulCut(phase: Phase, wait: Wait): boolean {
  return (
    phase.name === "app-server stopped" &&
    wait.wasCut &&
    /native_runtime_unavailable/.test(wait.failure ?? "")
  );
}

function describeFailure(wait: Wait): string {
  return `after ${seconds(lengthOf(wait))}, ${wait.wasCut ? "in" : "before"} its output: ${wait.failure}`;
}

function sortByLength(waits: readonly Wait[]): readonly Wait[] {
  return [...waits].sort((a, b) => lengthOf(a) - lengthOf(b));
}

function middleOf(sorted: readonly Wait[]): number | undefined {
  const wait = sorted[Math.floor(sorted.length / 2)];
  return wait && lengthOf(wait);
}

function lengthOfLast(sorted: readonly Wait[]): number | undefined {
  const wait = sorted.at(-1);
  return wait && lengthOf(wait);
}

function addUp(tables: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const [key, number] of tables.flatMap((table) => [...table]))
    sum.set(key, (sum.get(key) ?? 0) + number);
  return sum;
}

function describeOutcomes(outcomes: ReadonlyMap<string, number>): string {
  return [...outcomes].map(([outcome, number]) => `${outcome}: ${number}`).join(", ") || "–";
}

const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;

/** The service and its app-server, before the first phase and after the last. */
export function describeWeight(before: readonly [Weight, Weight], after: readonly [Weight, Weight]): string {
  const [service, appServer] = before.map(
    (weight, index) =>
      `${megabytes(weight.memoryBytes)} and ${weight.descriptors} descriptors before, ` +
      `${megabytes(after[index]?.memoryBytes ?? 0)} and ${after[index]?.descriptors ?? 0} after`,
  );
  return `service ${service}; app-server ${appServer}`;
}
