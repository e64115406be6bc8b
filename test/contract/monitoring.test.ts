/** The dashboard and the alerts of the package, by themselves. `test/e2e/monitoring.test.ts` holds them against a running service. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { z } from "zod";
import { dashboardFile, renderDashboard } from "../support/grafana-dashboard.js";
import {
  alertsFile,
  alertTestsFile,
  listGroupingLabels,
  needsPromtool,
  readAlerts,
  readDashboardQueries,
  runPromtool,
} from "../support/prometheus-files.js";

const datasource = z.object({ type: z.literal("prometheus"), uid: z.literal("$" + "{datasource}") });
const gridPos = z.object({ x: z.int(), y: z.int(), w: z.int().positive(), h: z.int().positive() });

const dashboard = z
  .looseObject({
    uid: z.literal("codex-native-api"),
    id: z.null(),
    schemaVersion: z.int().min(39),
    templating: z.object({ list: z.array(z.looseObject({ name: z.string(), type: z.string() })) }),
    panels: z.array(
      z.looseObject({
        id: z.int(),
        title: z.string().min(1),
        type: z.string(),
        gridPos,
        datasource: datasource.optional(),
        targets: z
          .array(z.looseObject({ refId: z.string(), datasource, expr: z.string().min(1) }))
          .default([]),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(dashboardFile, "utf8")));

t.test("the dashboard is up to date (npm run generate)", async (t) => {
  t.equal(readFileSync(dashboardFile, "utf8"), renderDashboard());
});

t.test("the dashboard asks whichever Prometheus is chosen, and takes an import by its uid", async (t) => {
  const [first] = dashboard.templating.list;
  t.match(first, { name: "datasource", type: "datasource", query: "prometheus" });
  for (const { title, type, datasource: asked, targets } of dashboard.panels) {
    if (type === "row") continue;
    t.ok(asked !== undefined && targets.length > 0, title);
  }
});

t.test("panels have ids of their own, and none lies over another", async (t) => {
  const { panels } = dashboard;
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const taken = new Map<string, string>();
  for (const { title, gridPos: place } of panels) {
    t.ok(place.x + place.w <= 24, title);
    for (let x = place.x; x < place.x + place.w; x++) {
      for (let y = place.y; y < place.y + place.h; y++) {
        t.equal(taken.get(`${x},${y}`), undefined, title);
        taken.set(`${x},${y}`, title);
      }
    }
  }
});

t.test("the dashboard shows what its page promises", async (t) => {
  const titles = dashboard.panels.map(({ title }) => title);
  for (const title of [
    "Ready",
    "Turns by outcome",
    "Time to the first token",
    "Wait in the queue",
    "Running, waiting, and the account's limit",
    "Plan windows",
    "Tokens by type",
    "Tokens by caller",
    "Tokens by model",
    "Part of the input from the cache",
    "Errors by code",
    "App-server restarts",
    "Memory",
  ])
    t.ok(titles.includes(title), title);
});

t.test("each alert waits, has a severity, and says what to do and where to read on", async (t) => {
  const alerts = readAlerts();
  t.ok(alerts.length >= 10);
  t.equal(new Set(alerts.map(({ name }) => name)).size, alerts.length);
  for (const alert of alerts) {
    t.match(alert.name, /^Codex[A-Z]\w+$/);
    t.match(alert.for, /^[1-9]\d*[mh]$/, `${alert.name}: for`);
    t.match(alert.severity, /^(critical|warning)$/, `${alert.name}: severity`);
    t.match(alert.summary, /\{\{ \$labels\.instance \}\}/, `${alert.name}: which service`);
    t.match(alert.description, /^.{40,}\.$/, `${alert.name}: what to do`);
    const [page = "", heading] = alert.docs?.split("#") ?? [];
    t.ok(existsSync(page), `${alert.name}: ${page}`);
    if (heading !== undefined) t.ok(listHeadings(page).includes(heading), `${alert.name}: ${heading}`);
  }
});

/** As GitHub makes anchors of them. */
function listHeadings(page: string): readonly string[] {
  return [...readFileSync(page, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

t.test("an alert's texts name only labels that its expression keeps", async (t) => {
  for (const { name, expr, summary, description } of readAlerts()) {
    const used = [...`${summary} ${description}`.matchAll(/\$labels\.(\w+)/g)].map(([, label = ""]) => label);
    const kept = listGroupingLabels(expr);
    // An expression that groups nothing keeps all.
    if (/\bby \(/.test(expr)) for (const label of used) t.ok(kept.includes(label), `${name}: ${label}`);
  }
});

t.test("every alert is seen to fire in the rules' own tests", async (t) => {
  const tests = readFileSync(alertTestsFile, "utf8");
  for (const { name } of readAlerts())
    t.match(tests, new RegExp(`alertname: ${name}\\n +exp_alerts:\\n +- exp_labels`), name);
});

t.test(
  "promtool takes the alerts, and each fires when it should and not otherwise",
  needsPromtool,
  async (t) => {
    const checked = await runPromtool(["check", "rules", alertsFile]);
    t.equal(checked.code, 0, checked.output);
    t.match(checked.output, `${readAlerts().length} rules found`);
    const tested = await runPromtool(["test", "rules", alertTestsFile]);
    t.equal(tested.code, 0, tested.output);
  },
);

t.test("promtool notices an alert that does not fire", needsPromtool, async (t) => {
  const folder = t.testdir({
    "alerts.yml": readFileSync(alertsFile, "utf8").replace("used_ratio >= 1", "used_ratio > 1"),
    "alerts.test.yml": readFileSync(alertTestsFile, "utf8"),
  });
  const { code, output } = await runPromtool(["test", "rules", join(folder, "alerts.test.yml")]);
  t.not(code, 0);
  t.match(output, /CodexPlanUsedUp/);
});

t.test("promtool parses every query of the dashboard", needsPromtool, async (t) => {
  const rules = readDashboardQueries().map(({ expr }, index) => ({
    record: `dashboard:query_${index}`,
    expr,
  }));
  const folder = t.testdir({
    // JSON is YAML.
    "queries.yml": JSON.stringify({ groups: [{ name: "dashboard", rules }] }),
  });
  const { code, output } = await runPromtool(["check", "rules", join(folder, "queries.yml")]);
  t.equal(code, 0, output);
  t.match(output, `${rules.length} rules found`);
});
