/** `grafana/codex-native-api.json`: the dashboard as Grafana 11 and later import it. `npm run generate` writes it. */
import { type Panel, type Row, rows } from "./grafana-panels.js";

export const dashboardFile = "grafana/codex-native-api.json";

/** The variable that names the Prometheus to ask. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in.
const datasource = { type: "prometheus", uid: "${datasource}" };

const columns = 24;
const usualWidth = 8;

/** The file's text. */
export function renderDashboard(): string {
  const dashboard = {
    // Stays the same, so that an import replaces the dashboard and links to it go on working.
    uid: "codex-native-api",
    id: null,
    title: "Codex Native API",
    description: "What docs/operations.md of codex-native-api describes under Metrics.",
    tags: ["codex-native-api"],
    // Of Grafana 11.0; later ones migrate it when they read it.
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    timepicker: {},
    timezone: "browser",
    fiscalYearStartMonth: 0,
    weekStart: "",
    links: [],
    annotations: { list: [restarts] },
    templating: {
      list: [
        dataSourceVariable,
        labelVariable("job", "Job", ""),
        labelVariable("instance", "Instance", 'job=~"$job"'),
      ],
    },
    panels: placeRows(rows),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

/** Marks the restarts of the app-server in all panels. */
const restarts = {
  name: "App-server restarts",
  datasource,
  enable: true,
  hide: false,
  iconColor: "orange",
  expr: 'changes(codex_native_api_app_server_restarts_total{job=~"$job",instance=~"$instance"}[1m]) > 0',
  step: "60s",
  titleFormat: "App-server replaced",
  textFormat: "{{instance}}",
};

const dataSourceVariable = {
  name: "datasource",
  label: "Data source",
  type: "datasource",
  query: "prometheus",
  refresh: 1,
  regex: "",
  hide: 0,
  multi: false,
  includeAll: false,
  options: [],
  current: {},
};

function labelVariable(name: string, label: string, matchers: string) {
  const query = `label_values(codex_native_api_build_info${matchers === "" ? "" : `{${matchers}}`}, ${name})`;
  return {
    name,
    label,
    type: "query",
    datasource,
    definition: query,
    query: { query, refId: "variable" },
    refresh: 2,
    regex: "",
    sort: 1,
    hide: 0,
    multi: true,
    includeAll: true,
    allValue: ".*",
    options: [],
    current: { text: ["All"], value: ["$__all"] },
  };
}

/** Panels from left to right, each row below a heading. */
function placeRows(list: readonly Row[]): readonly object[] {
  const placed: object[] = [];
  let y = 0;
  for (const { title, height, panels } of list) {
    placed.push({
      id: placed.length + 1,
      type: "row",
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    for (const panel of panels) {
      const w = panel.width ?? usualWidth;
      if (x + w > columns) {
        x = 0;
        y += height;
      }
      placed.push(renderPanel(panel, { id: placed.length + 1, gridPos: { x, y, w, h: height } }));
      x += w;
    }
    y += height;
  }
  return placed;
}

function renderPanel(panel: Panel, place: object): object {
  return {
    ...place,
    type: panel.type,
    title: panel.title,
    description: panel.description,
    datasource,
    targets: panel.queries.map(([expr, legend], index) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + index),
      datasource,
      editorMode: "code",
      expr,
      legendFormat: legend === "" ? "__auto" : legend,
      ...(panel.type === "timeseries" ? { range: true } : { instant: true, range: false }),
    })),
    fieldConfig: { defaults: renderDefaults(panel), overrides: [] },
    options: panel.type === "timeseries" ? seriesOptions : renderValueOptions(panel),
  };
}

function renderDefaults({ type, unit, isRatio, isStacked, warnFrom, words }: Panel): object {
  const [yellow, red] = warnFrom ?? [];
  const steps = [
    { color: words === undefined ? "green" : "red", value: null },
    ...(words === undefined ? [] : [{ color: "green", value: 1 }]),
    ...(yellow === undefined ? [] : [{ color: "yellow", value: yellow }]),
    ...(red === undefined ? [] : [{ color: "red", value: red }]),
  ];
  const [no, yes] = words ?? [];
  return {
    unit,
    min: 0,
    ...(isRatio && { max: 1 }),
    color: { mode: type === "timeseries" ? "palette-classic" : "thresholds" },
    thresholds: { mode: "absolute", steps },
    mappings:
      words === undefined
        ? []
        : [{ type: "value", options: { 0: { text: no, index: 0 }, 1: { text: yes, index: 1 } } }],
    ...(type === "timeseries" && {
      custom: {
        drawStyle: "line",
        lineWidth: 1,
        fillOpacity: isStacked ? 25 : 8,
        showPoints: "never",
        spanNulls: false,
        stacking: { mode: isStacked ? "normal" : "none", group: "A" },
      },
    }),
  };
}

const seriesOptions = {
  legend: { displayMode: "list", placement: "bottom", showLegend: true, calcs: [] },
  tooltip: { mode: "multi", sort: "desc" },
};

function renderValueOptions({ type, queries }: Panel): object {
  const reduceOptions = { calcs: ["lastNotNull"], fields: "", values: false };
  if (type === "gauge") return { reduceOptions, showThresholdLabels: false, showThresholdMarkers: true };
  const isNamed = queries.some(([, legend]) => legend !== "");
  return {
    reduceOptions,
    colorMode: isNamed ? "none" : "value",
    graphMode: "none",
    justifyMode: "center",
    textMode: isNamed ? "name" : "value",
    orientation: "auto",
  };
}
