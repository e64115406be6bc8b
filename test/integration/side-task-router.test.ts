/** The router on real sockets: every row of the fall-through table, and what each route is sent. */
import t from "tap";
import {
  type FallThroughRule,
  fallThroughTable,
  type SideTaskFailure,
} from "../../src/main/side-tasks/fall-through.js";
import type { SideTaskRequest } from "../../src/main/side-tasks/types.js";
import {
  answerRaw,
  failWith,
  hang,
  hangUp,
  type ListenerScript,
  sendJson,
} from "../support/scripted-listener.js";
import {
  answerDirectly,
  failureOf,
  respond,
  responseObject,
  startSideTaskHarness,
} from "../support/side-task-harness.js";

const task: SideTaskRequest = { taskClass: "normalization", input: "  heLLo " };

interface Row {
  /** Row of the table. */
  readonly failure: SideTaskFailure;
  readonly code: string;
  readonly api: ListenerScript;
  readonly request?: Partial<SideTaskRequest>;
}

const intentSchema = {
  type: "object",
  properties: { intent: { enum: ["question", "command"] } },
  required: ["intent"],
  additionalProperties: false,
};

/** What a service can do to a task, by row. The rest is in side-task-time.test.ts. */
const rows: readonly Row[] = [
  {
    failure: "unhealthy",
    code: "native_runtime_unavailable",
    api: failWith(503, "native_runtime_unavailable", 5),
  },
  { failure: "unhealthy", code: "native_login_required", api: failWith(503, "native_login_required") },
  { failure: "unhealthy", code: "http_503", api: answerRaw(503, "") },
  { failure: "overloaded", code: "queue_full", api: failWith(429, "queue_full", 1) },
  { failure: "overloaded", code: "queue_timeout", api: failWith(503, "queue_timeout", 1) },
  { failure: "overloaded", code: "server_overloaded", api: failWith(503, "server_overloaded", 1) },
  { failure: "usage_limit", code: "usage_limit_reached", api: failWith(429, "usage_limit_reached", 3600) },
  { failure: "rate_limited", code: "rate_limit_exceeded", api: failWith(429, "rate_limit_exceeded", 2) },
  { failure: "misconfigured", code: "invalid_auth_token", api: failWith(401, "invalid_auth_token") },
  { failure: "misconfigured", code: "host_not_allowed", api: failWith(403, "host_not_allowed") },
  { failure: "misconfigured", code: "http_404", api: answerRaw(404, "<html>another program</html>") },
  { failure: "misconfigured", code: "http_301", api: answerRaw(301, "") },
  { failure: "internal", code: "internal_error", api: failWith(500, "internal_error") },
  { failure: "bad_answer", code: "bad_answer", api: answerRaw(200, "<html>hello</html>") },
  { failure: "bad_answer", code: "bad_answer", api: answerRaw(200, '{"object":"something.else"}') },
  {
    failure: "bad_answer",
    code: "UND_ERR_RES_EXCEEDED_MAX_SIZE",
    api: (_request, response) => response.writeHead(200).end(Buffer.alloc(9 * 1024 * 1024, " ")),
  },
  { failure: "connection_lost", code: "UND_ERR_SOCKET", api: hangUp },
  {
    failure: "connection_lost",
    code: "UND_ERR_SOCKET",
    api: (_request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"id":', () => response.socket?.destroy());
    },
  },
  {
    failure: "connection_lost",
    code: "upstream_connection_failed",
    api: failWith(502, "upstream_connection_failed"),
  },
  { failure: "connection_lost", code: "turn_cancelled", api: failWith(499, "turn_cancelled") },
  { failure: "route_timeout", code: "turn_stalled", api: failWith(504, "turn_stalled") },
  { failure: "route_timeout", code: "route_timeout", api: hang, request: { timeoutMs: 300 } },
  { failure: "bad_request", code: "context_length_exceeded", api: failWith(400, "context_length_exceeded") },
  { failure: "bad_request", code: "model_not_found", api: failWith(404, "model_not_found") },
  { failure: "bad_request", code: "body_too_large", api: failWith(413, "body_too_large") },
  {
    failure: "content_policy",
    code: "content_policy_violation",
    api: failWith(400, "content_policy_violation"),
  },
  {
    failure: "content_policy",
    code: "refusal",
    api: (_request, response) => {
      const content = [{ type: "refusal", refusal: "I will not." }];
      sendJson(response, 200, responseObject([{ type: "message", role: "assistant", content }]));
    },
  },
  {
    failure: "content_policy",
    code: "content_filter",
    api: respond("half", { status: "incomplete", incomplete_details: { reason: "content_filter" } }),
  },
  { failure: "bad_output", code: "empty_output", api: respond("  ") },
  {
    failure: "bad_output",
    code: "max_output_tokens",
    api: respond("half", { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }),
  },
  {
    failure: "bad_output",
    code: "not_json",
    api: respond("no JSON"),
    request: { outputSchema: intentSchema },
  },
  {
    failure: "bad_output",
    code: "schema_mismatch",
    api: respond('{"intent":"poem"}'),
    request: { outputSchema: intentSchema },
  },
  {
    failure: "internal",
    code: "odd",
    api: respond("", { status: "failed", error: { code: "odd", message: "odd" } }),
  },
];

for (const row of rows) {
  const { next, circuit }: FallThroughRule = fallThroughTable[row.failure];
  t.test(`${row.failure} (${row.code}) ${next ? "falls through" : "ends the task"}`, async (t) => {
    const harness = await startSideTaskHarness(t, {
      api: row.api,
      direct: answerDirectly('{"intent":"question"}'),
      limits: { circuitFailures: 1, blamedTimeoutMs: 0 },
    });
    const { router, runtime, provider, api } = harness;
    const running = router.execute({ ...task, ...row.request });
    const trial = { route: "localhost_api", outcome: row.failure, code: row.code };
    if (next) {
      const result = await running;
      t.equal(result.route, "direct_native");
      t.match(result.routesTried, [trial, { route: "direct_native", outcome: "served", code: null }]);
    } else {
      const error = await failureOf(running);
      t.equal(error.code, row.failure);
      t.match(error.routesTried, [trial]);
      t.equal(runtime.turns.length, 0, "nothing else was asked");
    }
    t.equal(api.requests.length, 1, "asked once");
    t.equal(provider.requests.length, 0);
    const opens = circuit === "counts" || circuit === "opens";
    t.strictSame(Object.values(router.circuits())[0], opens ? "open" : "closed");
  });
}

t.test("every row that a service can bring about is tried above", async (t) => {
  const untried = Object.keys(fallThroughTable).filter((name) => !rows.some((row) => row.failure === name));
  t.strictSame(untried, ["unreachable", "timeout", "cancelled", "closed"]);
});

t.test("unreachable falls through: nobody listens", async (t) => {
  const { router, api } = await startSideTaskHarness(t);
  await api.die();
  const result = await router.execute(task);
  t.equal(result.route, "direct_native");
  t.match(result.routesTried[0], { outcome: "unreachable", code: "ECONNREFUSED" });
});
