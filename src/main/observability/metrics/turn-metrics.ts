import { Counter, Histogram, type Registry } from "prom-client";
import type { TokenUsage, TurnObservation } from "../../runtime/types.js";
import { ModelLabels, prefix, type ReadCatalog, toAmount, toSeconds } from "./naming.js";

const durationBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 1800];
const firstEventBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 40, 60, 120];
const waitBuckets = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60];

const tokenTypes = [
  ["input", (usage) => usage.inputTokens],
  ["cached_input", (usage) => usage.cachedInputTokens],
  ["cache_write_input", (usage) => usage.cacheWriteInputTokens],
  ["output", (usage) => usage.outputTokens],
  ["reasoning_output", (usage) => usage.reasoningOutputTokens],
] as const satisfies readonly (readonly [type: string, read: (usage: TokenUsage) => number])[];

/** What turns did, each leg of one counted by itself. */
export class TurnMetrics {
  readonly #models: ModelLabels;
  readonly #turns: Counter<"outcome" | "code" | "model">;
  readonly #durations: Histogram<"outcome">;
  readonly #firstEvents: Histogram;
  readonly #waits: Histogram;
  readonly #tokens: Counter<"type">;
  readonly #dropped: Counter;

  constructor(registry: Registry, readCatalog: ReadCatalog) {
    const registers = [registry];
    this.#models = new ModelLabels(readCatalog);
    this.#turns = new Counter({
      name: `${prefix}turns_total`,
      help: "Turns, or legs of turns, that are over. code: of the error, empty where there was none.",
      labelNames: ["outcome", "code", "model"],
      registers,
    });
    this.#durations = new Histogram({
      name: `${prefix}turn_duration_seconds`,
      help: "From leaving the queue to the end of the turn or leg.",
      labelNames: ["outcome"],
      buckets: durationBuckets,
      registers,
    });
    this.#firstEvents = new Histogram({
      name: `${prefix}turn_first_event_seconds`,
      help: "From leaving the queue to the first output of the model (time to first token).",
      buckets: firstEventBuckets,
      registers,
    });
    this.#waits = new Histogram({
      name: `${prefix}queue_wait_seconds`,
      help: "Time that turns which ran had waited in the queue.",
      buckets: waitBuckets,
      registers,
    });
    this.#tokens = new Counter({
      name: `${prefix}tokens_total`,
      help: "Tokens as Codex reports them; cached_input and cache_write_input are parts of input, reasoning_output of output.",
      labelNames: ["type"],
      registers,
    });
    for (const [type] of tokenTypes) this.#tokens.inc({ type }, 0);
    this.#dropped = new Counter({
      name: `${prefix}model_requests_dropped_total`,
      help: "Model requests that Codex may have begun after calls it could not ask about, interrupted and their output dropped.",
      registers,
    });
  }

  observe(observation: TurnObservation): void {
    const { outcome, code, model, waitedMs, firstEventMs, durationMs, usage } = observation;
    if (observation.mayHaveAskedAgain) this.#dropped.inc();
    this.#models.withLabel(model, (label) => this.#turns.inc({ outcome, code: code ?? "", model: label }));
    this.#durations.observe({ outcome }, toSeconds(durationMs));
    this.#waits.observe(toSeconds(waitedMs));
    if (firstEventMs !== null) this.#firstEvents.observe(toSeconds(firstEventMs));
    if (usage === null) return;
    for (const [type, read] of tokenTypes) this.#tokens.inc({ type }, toAmount(read(usage)));
  }
}
