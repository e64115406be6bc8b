import t from "tap";
import { renderRecord, type SoakRecord } from "../../soak/record.js";

const record: SoakRecord = {
  schema: 1,
  date: "2026-01-02",
  minutes: 60,
  cycles: 6,
  callers: 6,
  selection: "",
  wasInterrupted: false,
  machine: { cpu: "a CPU", cores: 2, memoryGb: 8, kernel: "Linux", loadBefore: 0.1, loadAfter: 1.2 },
  versions: { node: "v20.0.0", codex: "0.0.0", package: "0.0.0", commit: null, libraries: {} },
  phases: [
    {
      name: "a fault",
      rounds: 6,
      answers: 100,
      failed: 0,
      medianMs: 120,
      longestMs: 900,
      maxWaitMs: 10_000,
      longestProbeMs: 20,
      lawful: { "streams cut": 2 },
      outcomes: { "a | b": 3 },
      findings: [],
    },
  ],
  trends: [
    {
      name: "memory",
      unit: "MB",
      values: [2 ** 20, 2 ** 21],
      perHour: null,
      maxPerHour: 2 ** 20,
      fault: null,
    },
  ],
  peakServiceBytes: 2 ** 21,
  appServerRestarts: 1,
  loggedErrors: {},
  stop: { code: 0, tookMs: 1_000, left: [] },
  silentModel: [],
  findings: [],
};

t.test("a soak without findings says so, with a row for each phase and each measure", async (t) => {
  const said = renderRecord(record);
  t.match(said, /^# Soak of 2026-01-02\n/);
  t.match(said, /^All as it should be\.$/m);
  t.match(said, /^\| a fault \| 6 \| 100 \| 0 \| 0\.12 s \| .* \| streams cut: 2 \| a \\\| b: 3 \|$/m);
  t.match(said, /^\| memory \| 1 MB, 2 MB \| too few cycles \| 1 MB \| flat \|$/m);
  t.match(said, /left behind: nothing\.$/m);
});

t.test("findings stand first, one a line, and an interruption is told", async (t) => {
  const said = renderRecord({ ...record, wasInterrupted: true, findings: ["one\nthing", "another"] });
  t.match(said, /^Not as it should be:\n\n- one thing\n- another\n/m);
  t.match(said, /It was interrupted\./);
});
