import { execFile } from "node:child_process";
import { PerformanceObserver } from "node:perf_hooks";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Registry } from "prom-client";
import t from "tap";
import { ProcessMetrics } from "../../../../src/main/observability/metrics/process-metrics.js";
import { parseMetrics, readMetric } from "../../../support/metrics-text.js";

function createProcessMetrics() {
  const registry = new Registry();
  const metrics = new ProcessMetrics(registry, () => false);
  return { metrics, registry, text: () => registry.metrics() };
}

/** Collects garbage, and resolves when observers were told of it. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose_gc");
  const gc: unknown = runInNewContext("gc");
  if (typeof gc !== "function") throw new Error("there is no gc()");
  // An observer keeps no process alive, and there is nothing else to wait for.
  const alive = setInterval(() => {}, 1000);
  await new Promise<void>((resolve) => {
    const observer = new PerformanceObserver(() => {
      observer.disconnect();
      resolve();
    });
    observer.observe({ entryTypes: ["gc"] });
    gc();
  });
  clearInterval(alive);
}

async function countCollections(registry: Registry): Promise<number> {
  const counts = parseMetrics(await registry.metrics()).filter(
    ({ name }) => name === "nodejs_gc_duration_seconds_count",
  );
  return counts.reduce((sum, { value }) => sum + value, 0);
}

t.test("the process is told under the usual names", async (t) => {
  const { metrics, text } = createProcessMetrics();
  metrics.start();
  t.teardown(() => metrics.close());
  await metrics.read();
  const page = await text();
  for (const name of [
    "process_cpu_user_seconds_total",
    "process_cpu_system_seconds_total",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "nodejs_heap_size_total_bytes",
    "nodejs_heap_size_used_bytes",
    "nodejs_external_memory_bytes",
    "nodejs_version_info",
  ]) {
    t.ok((readMetric(page, name) ?? 0) > 0, name);
  }
  for (const reading of ["mean", "max", "p50", "p90", "p99"]) {
    t.ok((readMetric(page, `nodejs_eventloop_lag_${reading}_seconds`) ?? -1) >= 0, reading);
  }
});

t.test("open files and their limit are told on Linux", { skip: process.platform !== "linux" }, async (t) => {
  const { metrics, text } = createProcessMetrics();
  await metrics.read();
  const page = await text();
  t.ok((readMetric(page, "process_open_fds") ?? 0) > 2);
  t.ok((readMetric(page, "process_max_fds") ?? 0) >= (readMetric(page, "process_open_fds") ?? 0));
});

t.test("CPU time is the process's, and reading it twice does not count it twice", async (t) => {
  const { metrics, text } = createProcessMetrics();
  for (let index = 0; index < 20; index += 1) await metrics.read();
  const { user, system } = process.cpuUsage();
  const told = readMetric(await text(), "process_cpu_seconds_total") ?? 0;
  t.ok(told > 0);
  t.ok(told <= (user + system) / 1e6);
});

t.test("collections are counted while it runs and not after it was closed", async (t) => {
  const { metrics, registry } = createProcessMetrics();
  metrics.start();
  await collectGarbage();
  t.ok((await countCollections(registry)) > 0);
  metrics.close();
  const counted = await countCollections(registry);
  await collectGarbage();
  t.equal(await countCollections(registry), counted);
});

t.test("closing twice, or without a start, is nothing", async (t) => {
  const { metrics } = createProcessMetrics();
  metrics.close();
  metrics.start();
  metrics.close();
  t.doesNotThrow(() => metrics.close());
});

t.test("metrics that nobody closed do not keep a process alive", async (t) => {
  const url = new URL("../../../../src/main/observability/metrics/process-metrics.js", import.meta.url).href;
  const program = `
    import { Registry } from "prom-client";
    import { ProcessMetrics } from ${JSON.stringify(url)};
    const metrics = new ProcessMetrics(new Registry(), () => false);
    metrics.start();
    await metrics.read();
    console.log("read");
  `;
  const run = promisify(execFile);
  const child = await run(process.execPath, ["--input-type=module", "--eval", program], { timeout: 30_000 });
  t.equal(child.stdout.trim(), "read");
});
