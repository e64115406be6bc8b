/** Reads the files for Prometheus and Grafana, as far as tests need it: what they ask for, and by which names and labels. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { rows } from "./grafana-panels.js";

export const alertsFile = "prometheus/alerts.yml";
export const alertTestsFile = "prometheus/alerts.test.yml";

const promtoolPath = process.env.PROMTOOL_BIN ?? "/usr/bin/promtool";

/** Options of a test that needs promtool: without it the test is skipped, and says why. */
export const needsPromtool = existsSync(promtoolPath)
  ? {}
  : {
      skip: `there is no promtool at ${promtoolPath}; Debian's package is prometheus, PROMTOOL_BIN names another`,
    };

/** Runs promtool to its end, with that text as its input. */
export function runPromtool(
  argv: readonly string[],
  input = "",
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const child = execFile(promtoolPath, argv, { timeout: 60_000 }, (error, stdout, stderr) => {
      const code = typeof error?.code === "number" ? error.code : error === null ? 0 : -1;
      resolve({ code, output: stdout + stderr });
    });
    child.stdin?.end(input);
  });
}

export interface Alert {
  readonly name: string;
  readonly expr: string;
  readonly for: string | null;
  readonly severity: string | null;
  readonly summary: string | null;
  readonly description: string | null;
  /** A page of the package, with a heading if it is about one. */
  readonly docs: string | null;
}

/** Relies on the file's own layout, which a test with promtool holds against a real reader of YAML. */
export function readAlerts(): readonly Alert[] {
  const [, ...blocks] = readFileSync(alertsFile, "utf8").split(/^ {6}- alert: /m);
  return blocks.map((block) => {
    const read = (pattern: RegExp): string | null => pattern.exec(block)?.[1]?.trim() ?? null;
    return {
      name: read(/^(\w+)$/m) ?? "",
      expr: read(/^ {8}expr: \|\n((?: {10,}.*\n)+)/m) ?? read(/^ {8}expr: ([^|\n].*)$/m) ?? "",
      for: read(/^ {8}for: (\d+[smh])$/m),
      severity: read(/^ {10}severity: (\w+)$/m),
      summary: read(/^ {10}summary: "(.+)"$/m),
      description: read(/^ {10}description: "(.+)"$/m),
      docs: read(/^ {10}docs: "(.+)"$/m),
    };
  });
}

export interface NamedQuery {
  readonly name: string;
  readonly expr: string;
  /** The name of its lines. */
  readonly legend: string;
}

/** What the dashboard's panels ask, with values in place of Grafana's variables. */
export function readDashboardQueries(): readonly NamedQuery[] {
  return rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) =>
      queries.map(([expr, legend]) => ({ name: title, expr: fillIn(expr), legend })),
    ),
  );
}

function fillIn(expr: string): string {
  return expr.replaceAll(/\$(job|instance)\b/g, ".*").replaceAll("$__rate_interval", "5m");
}

export interface AskedMetric {
  readonly name: string;
  /** Of its matchers. */
  readonly labels: readonly string[];
}

/** The metrics of an expression. */
export function listAskedMetrics(expr: string): readonly AskedMetric[] {
  return [...expr.matchAll(/\b(codex_native_api_\w+|process_\w+|nodejs_\w+|up)\b(?:\{([^}]*)\})?/g)].map(
    ([, name = "", matchers = ""]) => ({
      name,
      labels: [...matchers.matchAll(/(\w+)(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label),
    }),
  );
}

/** Labels that an expression groups or joins by, and those of a line's name. */
export function listGroupingLabels(expr: string, legend = ""): readonly string[] {
  const lists = [...expr.matchAll(/\b(?:by|on|ignoring|group_left|group_right) \(([^)]*)\)/g)];
  const grouped = lists.flatMap(([, list = ""]) => list.split(",").map((label) => label.trim()));
  const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
  return [...grouped, ...shown].filter((label) => label !== "");
}
