/** Whether what the service holds stays flat from cycle to cycle. */

/** What is held at the end of a cycle, after a minute without requests. */
export interface CycleWeight {
  /** Since the first phase began. */
  readonly hours: number;
  readonly serviceBytes: number;
  readonly serviceDescriptors: number;
  readonly appServerBytes: number;
  readonly appServerDescriptors: number;
  /** Of the service, its app-server and the watch beside that. */
  readonly processes: number;
  /** In the state directory and the folder for temporary files. */
  readonly files: number;
  readonly fileBytes: number;
}

export type Measure = Exclude<keyof CycleWeight, "hours">;

/** What a measure may do. */
interface Bound {
  readonly measure: Measure;
  readonly name: string;
  readonly unit: "MB" | "";
  /** Growth in an hour, by the line through all cycles but the first. */
  readonly perHour: number;
  /** Over the first cycle, in any other. */
  readonly rise: (first: number) => number;
}

const mb = 2 ** 20;

/**
 * The first cycle fills what stays for the life of the process, so that the line leaves it out. Codex keeps 0.85 MB of each thread that it
 * has had loaded; every cycle replaces its app-server at the same place, so that the line shows what stays in spite of that.
 */
export const bounds: readonly Bound[] = [
  {
    measure: "serviceBytes",
    name: "memory of the service",
    unit: "MB",
    perHour: 96 * mb,
    rise: (first) => first * 0.3 + 64 * mb,
  },
  {
    measure: "appServerBytes",
    name: "memory of the app-server",
    unit: "MB",
    perHour: 96 * mb,
    rise: (first) => first * 0.3 + 64 * mb,
  },
  {
    measure: "serviceDescriptors",
    name: "descriptors of the service",
    unit: "",
    perHour: 12,
    rise: () => 24,
  },
  {
    measure: "appServerDescriptors",
    name: "descriptors of the app-server",
    unit: "",
    perHour: 24,
    rise: () => 48,
  },
  { measure: "processes", name: "processes", unit: "", perHour: 1, rise: () => 2 },
  {
    measure: "files",
    name: "files in the state and temporary folders",
    unit: "",
    perHour: 30,
    rise: () => 40,
  },
  { measure: "fileBytes", name: "size of these files", unit: "MB", perHour: 256 * mb, rise: () => 512 * mb },
];

export interface Trend {
  readonly name: string;
  readonly unit: "MB" | "";
  readonly values: readonly number[];
  /** Null: too few cycles for a line. */
  readonly perHour: number | null;
  readonly maxPerHour: number;
  /** What is not as it should be; null if nothing. */
  readonly fault: string | null;
}

/** Points that a line needs beside the first cycle. */
const minPoints = 3;

export function findTrends(weights: readonly CycleWeight[]): readonly Trend[] {
  return bounds.map((bound) => findTrend(weights, bound));
}

function findTrend(
  weights: readonly CycleWeight[],
  { measure, name, unit, perHour: most, rise }: Bound,
): Trend {
  const values = weights.map((weight) => weight[measure]);
  const [first = 0, ...others] = values;
  const points = weights.slice(1).map((weight) => [weight.hours, weight[measure]] as const);
  const perHour = points.length < minPoints ? null : fitSlope(points);
  const highest = Math.max(first, ...others);
  const over = highest - first > rise(first);
  const fault =
    perHour !== null && perHour > most
      ? `${name} grows by ${show(perHour, unit)} an hour`
      : over
        ? `${name} rose from ${show(first, unit)} to ${show(highest, unit)}`
        : null;
  return { name, unit, values, perHour, maxPerHour: most, fault };
}

/**
 * The slope of the line by Theil and Sen: the median of the slopes between all pairs, which one reading at a bad moment does not
 * turn.
 */
export function fitSlope(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points
    .flatMap(([x, y], index) => points.slice(index + 1).map(([nextX, nextY]) => (nextY - y) / (nextX - x)))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const middle = slopes.length / 2;
  return ((slopes[Math.ceil(middle) - 1] ?? 0) + (slopes[Math.floor(middle)] ?? 0)) / 2;
}

export function show(value: number, unit: "MB" | ""): string {
  return unit === "MB" ? `${Math.round(value / mb)} MB` : `${Math.round(value * 10) / 10}`;
}
