/** A provider that speaks the Responses API alone: what it is sent, and what the router makes of its answers. */
import t from "tap";
import { CodexNativeApiSideTaskRouter } from "../../src/main/side-tasks/router.js";
import type { SideTaskRequest } from "../../src/main/side-tasks/types.js";
import { failWith, hang, type ListenerScript, ScriptedListener } from "../support/scripted-listener.js";
import { failureOf } from "../support/side-task-harness.js";

const task: SideTaskRequest = { taskClass: "normalization", input: "a private sentence" };

/** A gateway as codex-gateway is one: `POST /v1/responses`, and 404 without a code for all else. */
function gateway(output: readonly object[], changes: object = {}): ListenerScript {
  return (request, response) => {
    const isOurs = request.path === "/v1/responses";
    const notFound = { error: { message: `Unsupported route: ${request.path}`, type: "not_found" } };
    const answer = { id: "chatcmpl-7", object: "response", status: "completed", model: "deepseek-x", output };
    response.writeHead(isOurs ? 200 : 404, { "content-type": "application/json; charset=utf-8" });
    response.end(`${JSON.stringify(isOurs ? { ...answer, ...changes } : notFound)}\n`);
  };
}

const said = (text: string) => ({
  id: "msg_1",
  type: "message",
  status: "completed",
  role: "assistant",
  content: [{ type: "output_text", text, annotations: [] }],
});

const thought = { id: "rs_1", type: "reasoning", summary: [{ type: "summary_text", text: "thinking" }] };

t.test(
  "a provider that speaks the Responses API alone is asked at /responses and nowhere else",
  async (t) => {
    const provider = await ScriptedListener.start(t, gateway([thought, said('{"intent":"command"}')]));
    const outputSchema = {
      type: "object",
      properties: { intent: { enum: ["command"] } },
      required: ["intent"],
      additionalProperties: false,
    };
    const external = {
      baseUrl: `${provider.url}/v1/`,
      apiKey: "provider-key",
      model: "deepseek-x",
      dialect: "responses",
    } as const;
    const router = new CodexNativeApiSideTaskRouter({ settings: { localApi: null, external } });
    t.teardown(() => router.destroy());
    const result = await router.execute({
      taskClass: "intent_classification",
      instructions: "Classify.",
      input: [
        { role: "developer", content: "Be brief." },
        { type: "reasoning", id: "rs_0", summary: [], encrypted_content: "x" },
        {
          type: "function_call",
          id: "fc_0",
          call_id: "c",
          name: "look",
          arguments: "{}",
          status: "completed",
        },
        { type: "function_call_output", call_id: "c", output: "a garage" },
        { type: "message", id: "msg_0", role: "user", content: [{ type: "input_text", text: "open it" }] },
      ],
      model: "gpt-native",
      effort: "high",
      outputSchema,
      metadata: { eventMetadata: { mark: "private" } },
    });
    t.strictSame(
      provider.requests.map(({ path }) => path),
      ["/v1/responses"],
    );
    t.equal(provider.requests[0]?.headers.authorization, "Bearer provider-key");
    t.strictSame(provider.requests[0]?.body, {
      model: "deepseek-x",
      instructions: "Classify.",
      input: [
        { type: "message", role: "system", content: [{ type: "input_text", text: "Be brief." }] },
        { type: "function_call", call_id: "c", name: "look", arguments: "{}" },
        { type: "function_call_output", call_id: "c", output: "a garage" },
        { type: "message", role: "user", content: [{ type: "input_text", text: "open it" }] },
      ],
      text: {
        format: { type: "json_schema", name: "intent_classification", schema: outputSchema, strict: true },
      },
      store: false,
      stream: false,
    });
    t.match(result, {
      route: "external_provider",
      output: { intent: "command" },
      responseId: "chatcmpl-7",
      model: "deepseek-x",
      usage: null,
      native: null,
    });

    const fallback = { ...external, schemaIn: "words" } as const;
    await router.execute({ ...task, outputSchema, fallback });
    t.equal(provider.requests[1]?.body.text, undefined);
    t.match(provider.requests[1]?.body.instructions, /valid by this JSON schema/);

    const wrongDialect = await failureOf(
      router.execute({ ...task, fallback: { ...external, dialect: "chat" } }),
    );
    t.match(wrongDialect.routesTried[2], { outcome: "misconfigured", code: "not_found" });
    const input = [{ type: "web_search_call", id: "ws_1", status: "completed" }];
    t.match((await failureOf(router.execute({ ...task, input }))).routesTried[2], {
      code: "input_not_supported",
    });
  },
);

t.test("answers of the Responses dialect go by the same table", async (t) => {
  const provider = await ScriptedListener.start(t, hang);
  const external = { baseUrl: provider.url, apiKey: null, model: "own", dialect: "responses" } as const;
  let passedMs = 0;
  const router = new CodexNativeApiSideTaskRouter({
    settings: { localApi: null, external: { ...external, baseUrl: `${provider.url}/v1` } },
    now: () => performance.now() + passedMs,
  });
  t.teardown(() => router.destroy());
  const usage = { prompt_tokens: "many" };
  provider.play(gateway([said("fine")], { id: null, model: null, usage, status: undefined, error: null }));
  t.match(await router.execute(task), { outputText: "fine", responseId: null, model: "own", usage: null });
  provider.play(gateway([said("fine")], { usage: { input_tokens: 2, output_tokens: 3, total_tokens: 5 } }));
  t.match(await router.execute(task), { usage: { inputTokens: 2, outputTokens: 3, totalTokens: 5 } });

  const refusal = { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "No." }] };
  const outcomes: readonly (readonly [ListenerScript, string, string])[] = [
    [gateway([thought]), "bad_output", "empty_output"],
    [gateway([refusal]), "content_policy", "refusal"],
    [
      gateway([said("ha")], { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }),
      "bad_output",
      "max_output_tokens",
    ],
    [
      gateway([], { status: "failed", error: { code: "server_error", message: "x" } }),
      "internal",
      "server_error",
    ],
    [
      gateway([], { status: "failed", error: { code: "rate_limit_exceeded", message: "x" } }),
      "rate_limited",
      "rate_limit_exceeded",
    ],
    [gateway([], { status: "failed", error: "odd" }), "internal", "internal_error"],
    [gateway([said("later")], { status: "queued" }), "bad_answer", "bad_answer"],
    [gateway([said("x")], { object: "chat.completion" }), "bad_answer", "bad_answer"],
    [failWith(500, null), "internal", "server_error"],
    [failWith(429, null, 2), "rate_limited", "server_error"],
  ];
  for (const [script, outcome, code] of outcomes) {
    provider.play(script);
    // Past every circuit's longest pause.
    passedMs += 400_000;
    const { routesTried } = await failureOf(router.execute(task));
    t.match(routesTried[2], { outcome, code });
  }
});
