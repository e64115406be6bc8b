/** Runs the phases in cycles among normal callers, weighs what the service holds after each cycle, and makes the record. */
import { setMaxListeners } from "node:events";
import { readMachineFacts, readVersionFacts } from "../../bench/report/machine.js";
import { readMetric } from "../support/metrics-text.js";
import { runNormalCallers, type Wait } from "./normal-callers.js";
import type { Phase } from "./phase.js";
import { listPhases } from "./phases.js";
import type { SoakRecord } from "./record.js";
import { describeCounts, inSeconds, judge, makeRows, type PhaseRun, say } from "./report.js";
import { pause, type ServiceProcess } from "./service-process.js";
import type { SilenceResult } from "./silent-model.js";
import { type CycleWeight, findTrends, show } from "./trends.js";

/** What a phase began is over, and its last waits are still its own. */
const settleMs = 1_000;
/** By then all that stays for the life of the process has been in use. */
const warmUpMs = 10_000;
/** How long a phase may take to end once its time is over. */
const phasePatienceMs = 180_000;
/** Without requests before what is held is read. */
const quietMs = 10_000;
const paceMs = 2_000;

export interface SoakOptions {
  readonly minutes: number;
  readonly callers: number;
  /** A part of the names of the phases; empty: all. */
  readonly selection: string;
  /** Ends the soak at once. */
  readonly interruption: AbortSignal;
}

const weighing: Phase = { name: "weighing", seconds: 0, maxWaitMs: 0, run: async () => {}, isQuiet: true };

export class Soak {
  readonly #service: ServiceProcess;
  readonly #options: SoakOptions;
  readonly #phases: readonly Phase[];
  readonly #runs: PhaseRun[] = [];
  readonly #findings: string[] = [];
  readonly #weights: CycleWeight[] = [];
  readonly #errors = new Map<string, number>();
  readonly #end = new AbortController();
  readonly #beganMs = performance.now();
  #phase: Phase | null = null;
  #peakBytes = 0;
  #cycles = 0;

  constructor(service: ServiceProcess, options: SoakOptions) {
    this.#service = service;
    this.#options = options;
    this.#phases = listPhases(service).filter(({ name }) => name.includes(options.selection));
    if (this.#phases.length === 0) throw new Error(`no phase has '${options.selection}' in its name`);
  }

  /** Runs the cycles for which there is time; at least one. */
  async run(): Promise<void> {
    const service = this.#service;
    const { callers, minutes } = this.#options;
    const paced = { url: service.url, callers, paceMs, isQuiet: () => this.#phase?.isQuiet === true };
    const onWait = (wait: Wait) => this.#take(wait);
    const normal = runNormalCallers({ ...paced, onWait }, this.#end.signal);
    const scales = setInterval(() => {
      void service.weigh().then(({ memoryBytes }) => {
        this.#peakBytes = Math.max(this.#peakBytes, memoryBytes);
      });
    }, 500);
    await pause(warmUpMs, this.#options.interruption);
    const beganMs = performance.now();
    const limitMs = minutes * 60_000;
    for (let isTime = true; isTime && this.#isGoingOn; ) {
      await this.#runCycle();
      const tookMs = performance.now() - beganMs;
      isTime = tookMs + tookMs / Math.max(1, this.#cycles) <= limitMs;
    }
    clearInterval(scales);
    this.#end.abort();
    if (!this.#options.interruption.aborted) await normal;
    this.#check(service.isRunning, "the service ended by itself");
  }

  get #isGoingOn(): boolean {
    return this.#service.isRunning && !this.#options.interruption.aborted;
  }

  async #runCycle(): Promise<void> {
    for (const phase of this.#phases) {
      if (!this.#isGoingOn) return;
      await this.#runPhase(phase);
    }
    if (!this.#isGoingOn) return;
    this.#cycles += 1;
    await this.#weigh();
  }

  async #runPhase(phase: Phase): Promise<void> {
    const run: PhaseRun = { phase, beganMs: performance.now(), waits: [], outcomes: new Map() };
    this.#runs.push(run);
    this.#phase = phase;
    const count = (outcome: string) => run.outcomes.set(outcome, (run.outcomes.get(outcome) ?? 0) + 1);
    // Not `AbortSignal.any`: Node 20 forgets a timeout that only such a signal listens to.
    const over = new AbortController();
    void pause(phase.seconds * 1_000, this.#options.interruption).then(() => over.abort());
    // One listener for each request under way.
    setMaxListeners(0, over.signal);
    const patience = pause(phase.seconds * 1_000 + phasePatienceMs, this.#options.interruption).then(
      () => "late",
    );
    const itself = phase.run({ url: this.#service.url, count }, over.signal).then(
      () => "done",
      (error: unknown) => `failed: ${String(error)}`,
    );
    const end = await Promise.race([
      Promise.all([itself, pause(phase.seconds * 1_000, this.#options.interruption)]).then(([how]) => how),
      patience,
    ]);
    if (!this.#options.interruption.aborted)
      this.#check(end === "done", `${phase.name}: the phase itself ${end}`);
    await pause(settleMs, this.#options.interruption);
    this.#tell(run);
  }

  #tell(run: PhaseRun): void {
    const minute = ((performance.now() - this.#beganMs) / 60_000).toFixed(1);
    const [row] = makeRows([run]);
    if (row === undefined) return;
    const lawful = Object.keys(row.lawful).length === 0 ? "" : ` Lawful: ${describeCounts(row.lawful)}.`;
    say(
      `${minute.padStart(5)} min, cycle ${this.#cycles + 1}, ${row.name}: ${row.answers} answers, ${row.failed} failed, longest ` +
        `${inSeconds(row.longestMs)}.${lawful} Its own: ${describeCounts(row.outcomes)}.`,
    );
    for (const finding of row.findings) say(`        ! ${finding}`);
  }

  /** With every selection of phases: without requests for a while. */
  async #weigh(): Promise<void> {
    const service = this.#service;
    const before = this.#phase;
    this.#phase = weighing;
    if (before?.isQuiet !== true) await pause(quietMs, this.#options.interruption);
    const [own, appServer, kept] = [
      await service.weigh(),
      await service.weighAppServer(),
      await service.weighFiles(),
    ];
    const processes = await service.countProcesses();
    this.#phase = null;
    this.#countErrors();
    this.#weights.push({
      hours: (performance.now() - this.#beganMs) / 3_600_000,
      serviceBytes: own.memoryBytes,
      serviceDescriptors: own.descriptors,
      appServerBytes: appServer.memoryBytes,
      appServerDescriptors: appServer.descriptors,
      processes,
      files: kept.files,
      fileBytes: kept.bytes,
    });
    say(
      `--- cycle ${this.#cycles}: service ${show(own.memoryBytes, "MB")}, ${own.descriptors} descriptors; app-server ` +
        `${show(appServer.memoryBytes, "MB")}, ${appServer.descriptors} descriptors; ${processes} processes, ${kept.files} files, ${show(kept.bytes, "MB")}; ` +
        `${makeRows(this.#runs).flatMap((row) => row.findings).length + this.#findings.length} findings`,
    );
  }

  #countErrors(): void {
    for (const event of this.#service.takeLoggedErrors())
      this.#errors.set(event, (this.#errors.get(event) ?? 0) + 1);
  }

  #take(wait: Wait): void {
    // What is under way when a soak is interrupted ends with the service.
    if (this.#options.interruption.aborted || judge(this.#runs, wait)) return;
    this.#check(wait.failure === null, `before the first phase: ${wait.what} failed: ${wait.failure?.text}`);
  }

  #check(isSo: boolean, otherwise: string): void {
    if (!isSo) this.#findings.push(otherwise);
  }

  /** Stops the service, whatever became of it. */
  async finish(
    loadBefore: number,
    silence: readonly SilenceResult[],
    failure: string | null,
  ): Promise<SoakRecord> {
    if (failure !== null) this.#findings.push(failure);
    const appServerRestarts = await readRestarts(this.#service.url);
    const stop = await this.#service.stop();
    this.#countErrors();
    this.#check(stop.code === 0, `the service stopped with code ${stop.code}`);
    this.#check(stop.left.length === 0, `left behind: ${stop.left.join(", ")}`);
    for (const { ok, text } of silence) this.#check(ok, `silent model: ${text}`);
    const phases = makeRows(this.#runs);
    const trends = findTrends(this.#weights);
    return {
      schema: 1,
      date: new Date().toISOString().slice(0, 10),
      minutes: Math.round((performance.now() - this.#beganMs) / 60_000),
      cycles: this.#cycles,
      callers: this.#options.callers,
      selection: this.#options.selection,
      wasInterrupted: this.#options.interruption.aborted,
      machine: readMachineFacts(loadBefore),
      versions: await readVersionFacts(),
      phases,
      trends,
      peakServiceBytes: this.#peakBytes,
      appServerRestarts,
      loggedErrors: Object.fromEntries(this.#errors),
      stop,
      silentModel: silence.map(({ text }) => text),
      findings: [
        ...phases.flatMap((row) => row.findings),
        ...trends.flatMap(({ fault }) => fault ?? []),
        ...this.#findings,
      ],
    };
  }
}

async function readRestarts(url: string): Promise<number> {
  const metrics = await fetch(`${url}/metrics`).then(
    (answer) => answer.text(),
    () => "",
  );
  return readMetric(metrics, "codex_native_api_app_server_restarts_total") ?? 0;
}
