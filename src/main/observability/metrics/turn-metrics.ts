import { Counter, Histogram, type Registry } from "prom-client";
import type { TokenUsage, TurnObservation } from "../../runtime/types.js";
import { CallerLabels, ModelLabels, prefix, type ReadCatalog, toAmount, toSeconds } from "./naming.js";

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

/** Registers the metrics of turns. The returned function counts and times one turn; each segment of a turn counts by itself. */
export function createTurnMetrics(
  registry: Registry,
  readCatalog: ReadCatalog,
): (observation: TurnObservation) => void {
  const registers = [registry];
  const models = new ModelLabels(readCatalog);
  const turns = new Counter({
    name: `${prefix}turns_total`,
    help: "Turns, or segments of turns, that are over. code: of the error, empty where there was none.",
    labelNames: ["outcome", "code", "model"],
    registers,
  });
  const durations = new Histogram({
    name: `${prefix}turn_duration_seconds`,
    help: "From leaving the queue to the end of the turn or segment.",
    labelNames: ["outcome"],
    buckets: durationBuckets,
    registers,
  });
  const firstEvents = new Histogram({
    name: `${prefix}turn_first_event_seconds`,
    help: "From leaving the queue to the first output of the model (time to first token).",
    buckets: firstEventBuckets,
    registers,
  });
  const waits = new Histogram({
    name: `${prefix}queue_wait_seconds`,
    help: "Time that turns which ran had waited in the queue.",
    buckets: waitBuckets,
    registers,
  });
  const tokens = new Counter({
    name: `${prefix}tokens_total`,
    help: "Tokens as Codex reports them; cached_input and cache_write_input are parts of input, reasoning_output of output.",
    labelNames: ["type"],
    registers,
  });
  for (const [type] of tokenTypes) tokens.inc({ type }, 0);
  const countShares = createTokenShares(registers);
  const dropped = new Counter({
    name: `${prefix}model_requests_dropped_total`,
    help: "Model requests that Codex may have begun after calls it could not ask about, interrupted and their output dropped.",
    registers,
  });
  return ({ outcome, code, model, owner, waitedMs, firstEventMs, durationMs, usage, mayHaveAskedAgain }) => {
    if (mayHaveAskedAgain) dropped.inc();
    models.withLabel(model, (label) => {
      turns.inc({ outcome, code: code ?? "", model: label });
      if (usage !== null) countShares(usage, label, owner);
    });
    durations.observe({ outcome }, toSeconds(durationMs));
    waits.observe(toSeconds(waitedMs));
    if (firstEventMs !== null) firstEvents.observe(toSeconds(firstEventMs));
    if (usage === null) return;
    for (const [type, read] of tokenTypes) tokens.inc({ type }, toAmount(read(usage)));
  };
}

/** The same tokens as `tokens_total`, by who used them and what for. The returned function counts those of one turn. */
function createTokenShares(
  registers: Registry[],
): (usage: TokenUsage, model: string, owner: string | null) => void {
  const callers = new CallerLabels();
  const byModel = new Counter({
    name: `${prefix}model_tokens_total`,
    help: "Tokens by model; types as in tokens_total.",
    labelNames: ["model", "type"],
    registers,
  });
  const byCaller = new Counter({
    name: `${prefix}caller_tokens_total`,
    help: "Tokens by the name of the token that their turns came with; types as in tokens_total.",
    labelNames: ["caller", "type"],
    registers,
  });
  return (usage, model, owner) => {
    const caller = owner === null ? null : callers.of(owner);
    for (const [type, read] of tokenTypes) {
      const amount = toAmount(read(usage));
      byModel.inc({ model, type }, amount);
      if (caller !== null) byCaller.inc({ caller, type }, amount);
    }
  };
}
