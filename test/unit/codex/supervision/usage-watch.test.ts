import { pino } from "pino";
import t from "tap";
import {
  maxRotationsPerHour,
  type UsageBounds,
  type UsageReason,
  UsageWatch,
} from "../../../../src/main/codex/supervision/usage-watch.js";

const bounds: UsageBounds = {
  maxAppServerRssBytes: 1_000,
  maxIdleCpuPercent: 50,
  idleCpuWindowMs: 60_000,
};
const paceMs = 15_000;

/** An app-server that nobody asks and that uses little, until the test says otherwise. */
function create(given: Partial<UsageBounds> = {}) {
  const state = {
    nowMs: 0,
    pids: [1] as readonly number[],
    rssBytes: 500,
    /** Of one core, while time passes. */
    cpuPercent: 0,
    isReadable: true,
    idleSinceMs: 0 as number | null,
    reportedRssBytes: null as number | null,
    /** What a rotation resolves with; true: the next pid takes new work. */
    rotates: true,
  };
  const cpuMs = new Map<number, number>();
  const rotations: UsageReason[] = [];
  const lines: { readonly level: number; readonly event: string; readonly msg: string }[] = [];
  const watch = new UsageWatch({
    bounds: { ...bounds, ...given },
    pids: () => state.pids,
    reportedRssBytes: () => state.reportedRssBytes,
    idleSinceMs: () => state.idleSinceMs,
    read: async (pids) =>
      new Map(
        state.isReadable
          ? pids.map((pid) => [pid, { rssBytes: state.rssBytes, cpuMs: cpuMs.get(pid) ?? 0 }] as const)
          : [],
      ),
    rotate: async (reason) => {
      rotations.push(reason);
      if (state.rotates) state.pids = state.pids.map((pid) => pid + 100);
      return state.rotates;
    },
    now: () => state.nowMs,
    logger: pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
  });
  const look = async (times: number) => {
    for (let time = 0; time < times; time += 1) {
      state.nowMs += paceMs;
      for (const pid of state.pids) cpuMs.set(pid, (cpuMs.get(pid) ?? 0) + (paceMs * state.cpuPercent) / 100);
      await watch.check();
    }
  };
  return { watch, state, rotations, lines, look };
}

t.test("a healthy app-server is left alone", async (t) => {
  const { watch, state, rotations, look } = create();
  Object.assign(state, { rssBytes: 1_000, cpuPercent: 50 });
  await look(100);
  t.same(rotations, []);
  t.same(watch.degraded, []);
  t.same(watch.health(), { rssBytes: 1_000, idleCpuPercent: 50 });
});

t.test("memory over the bound has it replaced at the second reading, and a peak does not", async (t) => {
  const { state, rotations, lines, look } = create();
  state.rssBytes = 1_001;
  await look(1);
  state.rssBytes = 1_000;
  await look(1);
  state.rssBytes = 1_001;
  await look(1);
  t.same(rotations, []);
  await look(1);
  t.same(rotations, ["memory"]);
  t.match(lines, [{ event: "app_server.over_bound", reason: "memory", pid: 1, rssBytes: 1_001 }]);
});

t.test("memory counts while turns run too", async (t) => {
  const { state, rotations, look } = create();
  Object.assign(state, { rssBytes: 1_001, idleSinceMs: null });
  await look(2);
  t.same(rotations, ["memory"]);
});

t.test("a core that is busy over a whole idle window has it replaced", async (t) => {
  const { state, rotations, lines, look } = create();
  state.cpuPercent = 90;
  await look(4);
  t.same(rotations, [], "the window began with the first reading");
  await look(1);
  t.same(rotations, ["idle_cpu"]);
  t.match(lines, [{ reason: "idle_cpu", idleCpuPercent: 90, msg: /90 % of a core for 60 s/ }]);
});

t.test("a turn, a thread or a question begins the window anew", async (t) => {
  const { state, watch, rotations, look } = create();
  state.cpuPercent = 100;
  for (let turn = 0; turn < 10; turn += 1) {
    await look(3);
    state.idleSinceMs = state.nowMs + 1;
  }
  state.idleSinceMs = null;
  await look(20);
  t.same(rotations, []);
  t.equal(watch.health().idleCpuPercent, null);
});

t.test("CPU time that shrinks, as when a child ends, begins the window anew", async (t) => {
  const { state, rotations, look } = create();
  state.cpuPercent = 100;
  await look(4);
  state.cpuPercent = -10;
  await look(1);
  state.cpuPercent = 10;
  await look(5);
  t.same(rotations, []);
});

t.test("each bound can be switched off", async (t) => {
  const { state, watch, rotations, look } = create({ maxAppServerRssBytes: 0, maxIdleCpuPercent: 0 });
  Object.assign(state, { rssBytes: 1e12, cpuPercent: 100, reportedRssBytes: 1e12 });
  await look(20);
  t.same(rotations, []);
  t.same(watch.degraded, []);
  t.same(watch.health(), { rssBytes: 1e12, idleCpuPercent: 100 }, "and is still reported");
});

t.test("one that goes bad again and again is replaced a few times an hour, then named", async (t) => {
  const { state, watch, rotations, lines, look } = create();
  state.rssBytes = 5_000;
  await look(2 * maxRotationsPerHour + 4);
  t.equal(rotations.length, maxRotationsPerHour);
  t.same(watch.degraded, ["app_server_memory"]);
  const errors = lines.filter(({ level }) => level === 50);
  t.match(errors, [{ event: "app_server.over_bound", msg: /replaced 3 times within the hour/ }]);
  t.equal(errors.length, 1, "said once");
  await look(3_600_000 / paceMs);
  t.equal(rotations.length, 2 * maxRotationsPerHour, "in the next hour again");
});

t.test("the name goes when the app-server is within its bound", async (t) => {
  const { state, watch, look } = create();
  state.rssBytes = 5_000;
  await look(20);
  t.same(watch.degraded, ["app_server_memory"]);
  state.rssBytes = 500;
  await look(1);
  t.same(watch.degraded, []);
});

t.test("both reasons share the limit", async (t) => {
  const { state, watch, rotations, look } = create();
  state.rssBytes = 5_000;
  await look(4);
  state.rssBytes = 500;
  state.cpuPercent = 100;
  await look(20);
  t.same(rotations, ["memory", "memory", "idle_cpu"]);
  t.same(watch.degraded, ["app_server_idle_cpu"]);
});

t.test("a rotation that failed is tried again after a minute, within the limit", async (t) => {
  const { state, watch, rotations, look } = create();
  Object.assign(state, { rssBytes: 5_000, rotates: false });
  await look(2);
  t.equal(rotations.length, 1);
  await look(3);
  t.equal(rotations.length, 1);
  await look(1);
  t.equal(rotations.length, 2);
  await look(100);
  t.equal(rotations.length, maxRotationsPerHour);
  t.same(watch.degraded, ["app_server_memory"]);
});

t.test("one that was replaced and has not ended yet is not replaced again", async (t) => {
  const { state, watch, rotations, look } = create();
  state.rssBytes = 5_000;
  await look(2);
  state.pids = [1];
  await look(20);
  t.equal(rotations.length, 1);
  t.same(watch.degraded, []);
});

t.test("each of several processes is held against the bound, and health has their sum", async (t) => {
  const { state, watch, rotations, look } = create();
  state.pids = [1, 2, 3];
  state.rssBytes = 900;
  await look(10);
  t.same(rotations, []);
  t.equal(watch.health().rssBytes, 2_700);
  state.rssBytes = 1_100;
  await look(2);
  t.same(rotations, ["memory"], "one rotation replaces all");
});

t.test("where nothing can be read, that is said once and nothing is replaced", async (t) => {
  const { state, watch, rotations, lines, look } = create();
  Object.assign(state, { isReadable: false, rssBytes: 5_000, cpuPercent: 100 });
  await look(20);
  t.same(rotations, []);
  t.same(watch.degraded, []);
  t.same(watch.health(), { rssBytes: null, idleCpuPercent: null });
  t.match(lines, [{ level: 30, event: "app_server.usage_unknown" }]);
  t.equal(lines.length, 1);
});

t.test("a single reading without result, as when a process ends, is no reason to say so", async (t) => {
  const { state, lines, look } = create();
  state.isReadable = false;
  await look(1);
  state.isReadable = true;
  await look(3);
  state.isReadable = false;
  await look(5);
  t.same(lines, []);
});

t.test("an app-server of somebody else's is reported and never replaced", async (t) => {
  const { state, watch, rotations, lines, look } = create();
  Object.assign(state, { pids: [], reportedRssBytes: 5_000 });
  await look(20);
  t.same(rotations, []);
  t.same(watch.degraded, ["app_server_memory"]);
  t.equal(watch.health().rssBytes, 5_000);
  t.match(lines, [{ level: 50, reason: "memory", pid: null, msg: /not this service's to end/ }]);
  t.equal(lines.length, 1);
  state.reportedRssBytes = 500;
  await look(1);
  t.same(watch.degraded, []);
});
