/** What the dashboard and the alerts ask for is what a service with real turns says of itself. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { runtimeMetrics } from "../../src/main/observability/metrics/runtime-readings.js";
import { parseMetrics } from "../support/metrics-text.js";
import { functionCall, httpError, switchAccount, text } from "../support/offline-backend/index.js";
import {
  listAskedMetrics,
  listGroupingLabels,
  needsPromtool,
  readAlerts,
  readDashboardQueries,
  runPromtool,
} from "../support/prometheus-files.js";
import { makeTemporaryDirectory } from "../support/runtime-harness.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";

const token = "correct-horse-battery-staple";

/** Metrics of Prometheus itself, and labels that it adds to every series of a target. */
const ofPrometheus = { metrics: ["up"], labels: ["job", "instance"] };

/** Turns that end well and badly, a request that fails, another login: as much as the files ask about. */
async function scrapeAfterWork(t: Test): Promise<string> {
  const root = await makeTemporaryDirectory(t);
  const tokensFile = join(root, "tokens.json");
  await writeFile(tokensFile, JSON.stringify([{ name: "editor", token }]), { mode: 0o600 });
  const harness = await startServiceHarness(t, {
    argv: ["--upstream-limit", "8"],
    env: { CODEX_NATIVE_API_AUTH_TOKEN: `${token}-2`, CODEX_NATIVE_API_AUTH_TOKENS_FILE: tokensFile },
  });
  const { backend, url, userHome, service } = harness;
  const send = async (path: string, body?: object) => {
    const answer = await fetch(url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  await harness.untilReady();
  backend.setDefaultReply(text("Paris."));
  t.equal((await send("/v1/responses", { input: "hello" })).status, 200);
  t.equal((await send("/v1/responses", { input: "hello", stream: true })).status, 200);
  backend.queueReply(functionCall({ name: "look", arguments: "{}" }));
  const tools = [{ type: "function", name: "look", parameters: { type: "object" } }];
  t.equal((await send("/v1/responses", { input: "hello", tools })).status, 200);
  backend.queueReply(httpError(400, { message: "Bad input" }));
  t.equal((await send("/v1/responses", { input: "hello" })).status, 400);
  t.equal((await send("/nowhere")).status, 404);
  await switchAccount(userHome, { backend, accountId: "acct-second", email: "second@example.com" });
  await pollUntil(() => service.health()?.account?.id === "acct-second");
  await harness.untilReady();
  t.equal((await send("/v1/responses", { input: "hello" })).status, 200);
  await pollUntil(() => service.health()?.workers.every(({ eventLoopDelayMs: ms }) => ms !== null) === true);
  await send("/v1/health");
  await pollUntil(() => service.health()?.rateLimits?.primary != null);
  return (await send("/metrics")).text;
}

t.test("every metric and label that the dashboard and the alerts ask for is there", async (t) => {
  const page = await scrapeAfterWork(t);
  const types = new Map(
    [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
  const labels = new Map<string, Set<string>>();
  for (const { name, labels: given } of parseMetrics(page)) {
    const known = labels.get(name) ?? new Set();
    for (const label of Object.keys(given)) known.add(label);
    labels.set(name, known);
  }
  const withoutSeries = new Set<string>();
  const labelsOf = (name: string): readonly string[] => {
    const found = labels.get(name);
    if (found === undefined) withoutSeries.add(name);
    return [...(found ?? declaredLabels(name)), ...ofPrometheus.labels];
  };
  const queries = [
    ...readDashboardQueries(),
    ...readAlerts().map(({ name, expr }) => ({ name, expr, legend: "" })),
  ];
  for (const { name: where, expr, legend } of queries) {
    const asked = listAskedMetrics(expr);
    t.ok(asked.length > 0, `${where} asks for a metric`);
    for (const { name, labels: matched } of asked) {
      if (ofPrometheus.metrics.includes(name)) continue;
      const base = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");
      t.ok(types.has(base), `${where}: ${name}`);
      t.ok(name === base || types.get(base) === "histogram", `${where}: ${name}`);
      // A rate is one of a counter's.
      if (new RegExp(`(?:rate|increase)\\(${name}\\{`).test(expr))
        t.match(types.get(base), /^(counter|histogram)$/, `${where}: ${name}`);
      for (const label of matched) t.ok(labelsOf(name).includes(label), `${where}: ${name}{${label}}`);
    }
    const present = asked.flatMap(({ name }) => labelsOf(name));
    for (const label of listGroupingLabels(expr, legend)) t.ok(present.includes(label), `${where}: ${label}`);
  }
  // Nothing of these has happened or been read yet; all others were seen with their labels.
  const allowed = [
    "codex_native_api_worker_faults_total",
    "codex_native_api_app_server_idle_cpu_ratio",
    "codex_native_api_app_server_resident_memory_bytes",
    "up",
  ];
  t.strictSame([...withoutSeries].filter((name) => !allowed.includes(name)).sort(), []);
});

/** The labels that a metric without a series would have. */
function declaredLabels(name: string): readonly string[] {
  const declared = new Map(Object.entries(runtimeMetrics.labels));
  return declared.get(name.replace(runtimeMetrics.prefix, "")) ?? [];
}

t.test("promtool finds nothing wrong with the metrics' format", needsPromtool, async (t) => {
  const { url, untilReady } = await startServiceHarness(t);
  await untilReady();
  const page = await (await fetch(`${url}/metrics`)).text();
  const { output } = await runPromtool(["check", "metrics"], page);
  // Lint only: names that Node's dashboards know are not Prometheus' own style.
  const ours = output
    .split("\n")
    .filter((line) => line.startsWith("codex_native_api_") || /error/i.test(line));
  t.strictSame(ours, []);
});
