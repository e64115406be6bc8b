/** What a runtime's options must be, and what holds where none is given or can be. */
import type { UsageBounds } from "../codex/supervision/usage-watch.js";
import { defaults } from "../config/defaults.js";
import {
  findOptionFaults,
  isAny,
  isEnvironment,
  isLogger,
  isNumber,
  isText,
  type OptionShape,
  optional,
  refuseFaults,
  required,
} from "../option-shapes.js";
import type { CodexNativeRuntimeOptions } from "./runtime-options.js";

/** Whether an object has these fields, of these shapes. */
const isGroup = (fields: Readonly<Record<string, OptionShape["accepts"]>>) => (value: unknown) =>
  typeof value === "object" &&
  value !== null &&
  Object.entries(fields).every(([name, accepts]) => accepts(Reflect.get(value, name)));

const shapes: Readonly<Record<keyof CodexNativeRuntimeOptions, OptionShape>> = {
  codex: required(
    "an object with userHome, stateDir, environment and more",
    isGroup({ userHome: isText, stateDir: isText, environment: isEnvironment }),
  ),
  appServer: required("an object with kind: shared, stdio, unix or tcp", isGroup({ kind: isText })),
  turns: required(
    "an object with profile, defaultModel, idleTimeoutMs, timeoutMs and more",
    isGroup({ profile: isText, idleTimeoutMs: isNumber, timeoutMs: isNumber }),
  ),
  models: optional("an object with aliases", isGroup({ aliases: (value) => typeof value === "object" })),
  decisions: optional("an object with model and effort", isGroup({ effort: isText })),
  workers: required("a number of worker threads", isNumber),
  admission: required(
    "an object with maxConcurrentTurns, maxQueue, queueTimeoutMs and startGate",
    isGroup({
      maxConcurrentTurns: isNumber,
      maxQueue: isNumber,
      queueTimeoutMs: isNumber,
      startGate: isNumber,
    }),
  ),
  shutdownGraceMs: required("a number", isNumber),
  version: required("a text", isText),
  maxThreadsKept: optional("a number", isNumber),
  maxLogBytes: optional("a number", isNumber),
  observer: optional("a NativeRuntimeObserver", isAny),
  providerProfileId: optional("a text that is not empty", isText),
  accountId: optional("a text that is not empty", isText),
};

/** @throws TypeError that names every option of the wrong shape. */
export function checkRuntimeOptions(options: unknown, logger: unknown): void {
  const faults = findOptionFaults(options, shapes);
  const missing = isLogger(logger) ? [] : ["the second argument is not allowed; it takes a pino logger"];
  refuseFaults("CodexNativeRuntime", [...faults, ...missing]);
}

/** Bounds that no option sets, or that stand where a host sets none. */
export const runtimeBounds = {
  /** How long `start` waits before it answers that Codex is not ready yet. */
  startTimeoutMs: 30_000,
  /** Each step of a child's stop ladder: twice SIGTERM, then SIGKILL. A Codex without turns ends within a tenth of it. */
  stopStepMs: 500,
  /** Idle native threads kept for their chains. One costs the app-server 1 to 2 MB: 64 of them were measured to add 60 % to it. */
  maxLoadedThreads: 16,
  /** At 0.85 MB each: about 340 MB beside the 150 MB of an empty app-server. */
  maxThreadsKept: 400,
  /** Codex before 0.169 logs some 20 KB a turn (0.150 and 0.160, with short prompts): thousands of turns. */
  maxLogBytes: 128 * 1024 * 1024,
  /** One costs as much memory as any idle thread. Somebody who asks every few minutes still finds one. */
  spareThreads: {
    idleMs: 900_000,
    // The real backend ends every WebSocket after 60 minutes (earendil-works/pi#6268), without notice to us.
    maxAgeMs: 50 * 60_000,
    minAvailableBytes: 512 * 1024 * 1024,
  },
  /** How long, and how many, turns may wait for outputs of the caller's functions. */
  parking: { ttlMs: 600_000, maxTurns: 1_000 },
  /** Bound of the pool's own, which admission never lets turns reach: a reload may raise admission's, and not the pool's. */
  mostConcurrentTurns: 100_000,
} as const;

/** With defaults. By name: a host may give an undefined one. */
export function usageBoundsOf({ codex }: Pick<CodexNativeRuntimeOptions, "codex">): UsageBounds {
  return {
    maxAppServerRssBytes: codex.maxAppServerRssBytes ?? defaults.codex.maxAppServerRssBytes,
    maxIdleCpuPercent: codex.maxIdleCpuPercent ?? defaults.codex.maxIdleCpuPercent,
    idleCpuWindowMs: codex.idleCpuWindowMs ?? defaults.codex.idleCpuWindowMs,
  };
}

/** The longest that any turn may be silent, in milliseconds. */
export function longestSilence({
  idleTimeoutMs,
  idleTimeoutsMs = {},
}: CodexNativeRuntimeOptions["turns"]): number {
  return Math.max(idleTimeoutMs, ...Object.values(idleTimeoutsMs));
}
