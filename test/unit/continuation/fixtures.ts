import {
  InMemoryCodexNativeApiContinuationRegistry,
  type InMemoryContinuationRegistryOptions,
} from "../../../src/main/continuation/in-memory-registry.js";
import type { NewContinuationRecord } from "../../../src/main/continuation/types.js";
import { CodexNativeApiError } from "../../../src/main/errors.js";

/** Where the made-up wall clock begins, so that it is never mistaken for the growing one, which begins at 0. */
export const epochMs = 1_700_000_000_000;

export const identity = { providerProfileId: "openai", accountId: "acct_1" } as const;

export function message(role: string, text: string) {
  return { type: "message", role, content: [{ type: "input_text", text }] };
}

export function createRecord(
  responseId: string,
  changes: Partial<NewContinuationRecord> = {},
): NewContinuationRecord {
  return {
    responseId,
    previousResponseId: null,
    nativeThreadId: "thread_1",
    nativeTurnId: `turn_${responseId}`,
    activeAccountId: identity.accountId,
    providerProfileId: identity.providerProfileId,
    model: "gpt-fake",
    routeKind: "responses",
    startedAt: epochMs,
    threadSettings: '{"instructions":""}',
    inputItems: [message("user", `asks ${responseId}`)],
    outputItems: [message("assistant", `answers ${responseId}`)],
    parkedCallIds: [],
    response: { id: responseId, object: "response" },
    ...changes,
  };
}

/** A registry whose two clocks and timer a test moves by hand. */
export function createRegistry(options: InMemoryContinuationRegistryOptions = {}) {
  const time = { tickMs: 0, wallMs: epochMs };
  const timer = { intervals: [] as number[], running: 0, sweep: () => {} };
  const registry = new InMemoryCodexNativeApiContinuationRegistry({
    ttlMs: 1000,
    clock: () => time.tickMs,
    wallClock: () => time.wallMs,
    repeat: (task, intervalMs) => {
      timer.intervals.push(intervalMs);
      timer.running += 1;
      timer.sweep = task;
      return () => {
        timer.running -= 1;
      };
    },
    ...options,
  });
  const pass = (ms: number) => {
    time.tickMs += ms;
    time.wallMs += ms;
  };
  return { registry, time, timer, pass };
}

/** What a promise was rejected with, as the error it should be. */
export async function rejection(promise: Promise<unknown>): Promise<CodexNativeApiError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof CodexNativeApiError) return error;
  throw new Error("Not rejected with a CodexNativeApiError.", { cause: error });
}
