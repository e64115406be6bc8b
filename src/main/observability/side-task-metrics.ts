import { Counter, Histogram, type Registry } from "prom-client";

/** A side task, as metrics count it. */
export interface SideTaskCount {
  readonly taskClass: string;
  /** The route that served it; `none` where none did. */
  readonly route: string;
  /** `served`, or the code of the error. */
  readonly outcome: string;
  readonly ms: number;
  readonly tokens: Readonly<Record<string, number>>;
}

const prefix = "codex_native_api_side_";
const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 1800];

/** Counts side tasks on the host's registry. Routers on one registry share the metrics. */
export function createSideTaskMetrics(registry: Registry): (count: SideTaskCount) => void {
  const registers = [registry];
  const labelNames = ["task_class", "route", "outcome"];
  const tasks = reuse(registry, `${prefix}tasks_total`, (name) => {
    return new Counter({ name, help: "Side tasks that are over.", labelNames, registers });
  });
  const durations = reuse(registry, `${prefix}task_duration_seconds`, (name) => {
    const help = "From the call of execute or decide to the result or error, over all routes.";
    return new Histogram({ name, help, labelNames, buckets, registers });
  });
  const tokens = reuse(registry, `${prefix}task_tokens_total`, (name) => {
    const help = "Tokens of the answers, as the route reports them.";
    return new Counter({ name, help, labelNames: ["task_class", "route", "type"], registers });
  });
  return ({ taskClass, route, outcome, ms, tokens: used }) => {
    const labels = { task_class: taskClass, route, outcome };
    tasks.inc(labels);
    durations.observe(labels, ms / 1000);
    for (const [type, amount] of Object.entries(used))
      tokens.inc({ task_class: taskClass, route, type }, amount);
  };
}

/** prom-client throws where a name is registered twice. */
function reuse<T extends Counter | Histogram>(
  registry: Registry,
  name: string,
  create: (name: string) => T,
): T {
  const present = registry.getSingleMetric(name);
  // Only this file uses these names.
  return present === undefined ? create(name) : (present as unknown as T);
}
