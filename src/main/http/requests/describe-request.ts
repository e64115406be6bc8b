/** The request log on the wire. */
import type { RequestEntry as Entry, UsageReport } from "../../observability/requests/types.js";
import type { RequestEntry, Usage } from "./wire-requests.js";

export function describeRequest(entry: Entry): RequestEntry {
  const { error, timings, thread, usage, content } = entry;
  return {
    object: "request",
    id: entry.id,
    state: entry.state,
    started_at_ms: entry.startedAtMs,
    transport: entry.transport,
    method: entry.method,
    route: entry.route,
    status: entry.status,
    caller: entry.caller,
    dialect: entry.dialect,
    model: entry.model,
    requested_model: entry.requestedModel,
    reasoning_effort: entry.reasoningEffort,
    service_tier: entry.serviceTier,
    stream: entry.stream,
    background: entry.background,
    choices: entry.choices,
    task_class: entry.taskClass,
    priority: entry.priority,
    timeout_ms: entry.timeoutMs,
    prompt_form: entry.promptForm,
    outcome: entry.outcome,
    error: error && {
      code: error.code,
      param: error.param,
      retryable: error.retryable,
      message: error.message,
    },
    timings: {
      prepared_ms: timings.preparedMs,
      admitted_ms: timings.admittedMs,
      thread_ready_ms: timings.threadReadyMs,
      turn_started_ms: timings.turnStartedMs,
      first_output_ms: timings.firstOutputMs,
      output_ended_ms: timings.outputEndedMs,
      ended_ms: timings.endedMs,
    },
    thread: thread && {
      kind: thread.kind,
      thread_id: thread.threadId,
      turn_id: thread.turnId,
      worker_id: thread.workerId,
      app_server_generation: thread.appServerGeneration,
    },
    attempts: entry.attempts,
    retries: entry.retries.map(({ code, atMs }) => ({ code, at_ms: atMs })),
    ignored_parameters: entry.ignoredParameters,
    usage: usage && {
      input_tokens: usage.inputTokens,
      cached_input_tokens: usage.cachedInputTokens,
      output_tokens: usage.outputTokens,
      reasoning_output_tokens: usage.reasoningOutputTokens,
      total_tokens: usage.totalTokens,
    },
    response_id: entry.responseId,
    previous_response_id: entry.previousResponseId,
    content: content && { input: content.input, output: content.output, metadata: content.metadata },
  };
}

export function describeUsage({ sinceMs, rows, merged }: UsageReport): Usage {
  return {
    object: "usage",
    since_ms: sinceMs,
    data: rows.map((row) => ({
      caller: row.caller,
      model: row.model,
      route: row.route,
      task_class: row.taskClass,
      hour_ms: row.hourMs,
      requests: row.requests,
      failed: row.failed,
      input_tokens: row.inputTokens,
      cached_input_tokens: row.cachedInputTokens,
      output_tokens: row.outputTokens,
      reasoning_output_tokens: row.reasoningOutputTokens,
    })),
    other: merged,
  };
}
