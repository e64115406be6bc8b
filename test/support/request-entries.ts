/** Entries of the request log, for tests of what keeps them. */
import type { RequestEntry, RequestListQuery } from "../../src/main/observability/requests/types.js";

export function entryOf(id: string, changes: Partial<RequestEntry> = {}): RequestEntry {
  return {
    id,
    state: "waiting",
    startedAtMs: 1_790_000_000_000,
    transport: "http",
    method: "POST",
    route: "/v1/responses",
    status: null,
    caller: null,
    dialect: "responses",
    model: null,
    requestedModel: null,
    reasoningEffort: null,
    serviceTier: null,
    stream: false,
    background: false,
    choices: 1,
    taskClass: null,
    priority: "interactive",
    timeoutMs: null,
    promptForm: null,
    outcome: null,
    error: null,
    timings: {
      preparedMs: null,
      admittedMs: null,
      threadReadyMs: null,
      turnStartedMs: null,
      firstOutputMs: null,
      outputEndedMs: null,
      endedMs: null,
    },
    thread: null,
    attempts: 0,
    retries: [],
    ignoredParameters: [],
    usage: null,
    responseId: null,
    previousResponseId: null,
    content: null,
    ...changes,
  };
}

/** One that has ended well. */
export function endedOf(id: string, changes: Partial<RequestEntry> = {}): RequestEntry {
  const usage = {
    inputTokens: 10,
    cachedInputTokens: 4,
    outputTokens: 5,
    reasoningOutputTokens: 2,
    totalTokens: 15,
  };
  return entryOf(id, {
    state: "ended",
    status: 200,
    outcome: "completed",
    model: "gpt-fake",
    usage,
    ...changes,
  });
}

export function queryOf(changes: Partial<RequestListQuery> = {}): RequestListQuery {
  return {
    viewer: null,
    limit: 100,
    after: null,
    route: null,
    model: null,
    outcome: null,
    code: null,
    caller: null,
    ...changes,
  };
}
