/**
 * `npm run soak:events [-- --changes 86400 --requests 50000]`: a day of events in minutes. Plays so many changes of the state and so many
 * requests to readers of `GET /v1/events`, and prints what a day costs the service: its part of one core, and its memory. Ends with 1 where
 * a page takes 1 % of a core or more, memory grows, or a reader misses an event.
 */
import { parseArgs } from "node:util";
import { measureReaders, type ReadersReport } from "./event-readers.js";

const { values } = parseArgs({
  options: {
    changes: { type: "string", default: "86400" },
    requests: { type: "string", default: "50000" },
    json: { type: "boolean", default: false },
  },
});

const report = await measureReaders({
  changes: Number(values.changes),
  requests: Number(values.requests),
  readers: [1, 16],
});
const say = (line: string) => process.stdout.write(`${line}\n`);
if (values.json) say(JSON.stringify(report, null, 2));
else for (const line of renderReport(report)) say(line);
process.exitCode = report.faults.length === 0 ? 0 : 1;

function renderReport({ rows, faults }: ReadersReport): readonly string[] {
  return [
    ...rows.map(
      ({ readers, perStateMs, perRequestMs, dayCpuMs, dayShare, grownBytes, received }) =>
        `${String(readers).padStart(2)} readers: ${micros(perStateMs)} a state, ${micros(perRequestMs)} a request, a day ` +
        `${(dayCpuMs / 1000).toFixed(1)} s of a core = ${(100 * dayShare).toFixed(3)} %; ${received} events read; ` +
        `memory ${(grownBytes / 1024 / 1024).toFixed(1)} MiB more after it`,
    ),
    ...faults.map((fault) => `FAULT: ${fault}`),
  ];
}

function micros(ms: number): string {
  return `${Math.round(ms * 1000)} µs`;
}
