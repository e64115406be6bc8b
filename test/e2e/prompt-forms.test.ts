/** The form in which each model's prompts reach a backend that takes any, or one alone. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { hasFeature } from "../../src/workers/contract/codex-capabilities.js";
import { markedModel, needs, needsMarkedModel, testCodexVersion } from "../support/codex-version.js";
import { readMetric } from "../support/metrics-text.js";
import {
  type DemandedForm,
  functionCall,
  httpError,
  isLite,
  type RecordedModelRequest,
  reply,
  text,
} from "../support/offline-backend/index.js";
import {
  pollUntil,
  type ServiceHarness,
  type ServiceHarnessOptions,
  startServiceHarness,
} from "../support/service-harness.js";
import { offeredTools, seenInput } from "../support/upstream-forms.js";
import { weatherTool } from "../support/weather-tool.js";

const unmarked = "gpt-5.5";
const marked = needsMarkedModel.skip === undefined ? markedModel : unmarked;
const instructions = "You are a thermometer.";

const varies = hasFeature(testCodexVersion, "prompt_forms");
/** Each model's own form first. */
const order: Readonly<Record<string, readonly DemandedForm[]>> = varies
  ? { [marked]: ["lean_lite", "lean", "codex"], [unmarked]: ["lean", "lean_lite", "codex"] }
  : { [marked]: ["lean", "codex"], [unmarked]: ["lean", "codex"] };

const transports = [
  { name: "WebSocket", options: {} },
  { name: "server-sent events", options: { backend: { webSocket: "refuse" } } },
] as const satisfies readonly { readonly name: string; readonly options: ServiceHarnessOptions }[];

async function start(t: Test, form: DemandedForm | null, options: ServiceHarnessOptions) {
  const harness = await startServiceHarness(t, {
    ...options,
    backend: { ...options.backend, ...(form !== null && { demandedForm: form }) },
  });
  await harness.untilReady();
  return harness;
}

function formOf(answer: unknown): unknown {
  return Object(Object(answer).native_api).prompt_form;
}

/** Requests that the backend got since, whatever it answered. */
function counted({ backend }: ServiceHarness) {
  const before = backend.requests.length;
  return (): readonly RecordedModelRequest[] => backend.requests.slice(before);
}

function checkPrompt(t: Test, request: RecordedModelRequest | undefined, form: DemandedForm): void {
  const told = seenInput(request).filter(({ role }) => role === "developer");
  const ownTexts = told.filter((item) => JSON.stringify(item).includes(instructions));
  t.equal(ownTexts.length, 1, "the caller's instructions come once");
  if (form !== "codex") {
    t.equal(told.length, 1, "and nothing of Codex's");
    t.equal(request === undefined ? null : isLite(request), form === "lean_lite");
  }
}

for (const { name, options } of transports) {
  // Over server-sent events the marked one stands for both.
  const models = name === "WebSocket" ? [marked, unmarked] : [marked];
  for (const model of new Set(models)) {
    for (const form of order[model] ?? []) {
      t.test(`over ${name} ${model} answers where the backend takes the ${form} form alone`, async (t) => {
        const harness = await start(t, form, options);
        const { backend, client } = harness;
        backend.setDefaultReply(text("Warm."));
        const requests = counted(harness);
        const first = await client.responses.create({ model, instructions, input: "How warm is it?" });
        t.equal(first.output_text, "Warm.");
        t.equal(formOf(first), form);
        checkPrompt(t, requests().at(-1), form);
        const again = counted(harness);
        const second = await client.responses.create({ model, instructions, input: "Sure?" });
        t.equal(formOf(second), form);
        t.equal(again().length, 1, "the next request is in that form at once");
        const third = await client.responses.create({
          model,
          instructions,
          input: "Really?",
          previous_response_id: second.id,
        });
        t.match(third, { native_api: { continuation: { mode: "native" }, prompt_form: form } });

        backend.queueReply(
          reply(
            ...["Rome", "Oslo"].map((city, index) =>
              functionCall({
                name: "weather",
                arguments: { city },
                callId: `call_${index}`,
                ...(form === "lean_lite" && { namespace: "functions" }),
              }),
            ),
          ),
          text('{"sky":"clear"}'),
        );
        const schema = {
          type: "object",
          properties: { sky: { type: "string" } },
          required: ["sky"],
          additionalProperties: false,
        };
        const settings = {
          model,
          instructions,
          tools: [weatherTool],
          text: { format: { type: "json_schema" as const, name: "sky", strict: true, schema } },
        };
        const calls = await client.responses.create({ ...settings, input: "Where is it warm?" });
        t.match(calls.output, [
          { type: "function_call", name: "weather", call_id: "call_0", arguments: '{"city":"Rome"}' },
          { type: "function_call", name: "weather", call_id: "call_1", arguments: '{"city":"Oslo"}' },
        ]);
        t.notMatch(JSON.stringify(calls.output), /namespace/, "calls are the caller's own");
        const seen = counted(harness);
        const outputs = ["call_0", "call_1"].map((call_id) => ({
          type: "function_call_output" as const,
          call_id,
          output: "warm",
        }));
        const answer = await client.responses.create({
          ...settings,
          previous_response_id: calls.id,
          input: outputs,
        });
        t.equal(answer.output_text, '{"sky":"clear"}');
        t.ok((answer.usage?.total_tokens ?? 0) > 0);
        const [request] = seen();
        t.match(request?.body.text, { format: { type: "json_schema", strict: true } });
        t.match(offeredTools(request), [{ name: "weather" }]);

        const stateless = counted(harness);
        await client.responses.create({
          ...settings,
          input: [
            { role: "user", content: "Where is it warm?" },
            ...calls.output.filter((item) => item.type === "function_call"),
            ...outputs,
          ],
        });
        const callsSeen = seenInput(stateless().at(-1)).filter(({ type }) => type === "function_call");
        const namespace = form === "lean_lite" ? "functions" : undefined;
        t.strictSame(
          callsSeen.map((call) => call.namespace),
          form === "codex" ? callsSeen.map((call) => call.namespace) : [namespace, namespace],
          "earlier calls are shown to the model as it made them",
        );
      });
    }
  }
}

t.test("health and metrics say which model has another form, and the next start will know it", async (t) => {
  const options: ServiceHarnessOptions = { backend: { demandedForm: "codex" } };
  const harness = await startServiceHarness(t, options);
  await harness.untilReady();
  await harness.client.responses.create({ model: marked, input: "hello" });
  const health = await (await fetch(`${harness.url}/v1/health`)).json();
  t.match(health, {
    native_runtime: {
      prompt_forms: { models: [{ model: marked, web_search: false, form: "codex" }], changes: 1 },
    },
  });
  const metrics = await (await fetch(`${harness.url}/metrics`)).text();
  const labels = { model: marked, web_search: "false", form: "codex" };
  t.equal(readMetric(metrics, "codex_native_api_prompt_form", labels), 1);
  t.equal(readMetric(metrics, "codex_native_api_prompt_form_changes_total"), 1);
  t.match(metrics, /codex_native_api_turns_total\{[^}]*outcome="completed"[^}]*\} 1\n/, "it was one turn");
  t.notMatch(metrics, /codex_native_api_turns_total\{[^}]*outcome="failed"/);
  const kept = join(harness.stateDir, "prompt-forms.json");
  await pollUntil(() => existsSync(kept));
  t.match(await readFile(kept, "utf8"), /"codex"/);
});

t.test("a request that is refused in every form switches nothing, and its own error is told", async (t) => {
  const harness = await start(t, null, {});
  const { backend, client } = harness;
  let refusals = 0;
  backend.whenReply(
    ({ fullInput }) => JSON.stringify(fullInput).includes("refuse me"),
    () => httpError(400, { message: `Refused for the ${++refusals}. time.` }),
  );
  const bad = () =>
    client.responses.create({ model: marked, input: "refuse me" }).catch((error: unknown) => error);
  const all = order[marked]?.length ?? 0;
  t.match(await bad(), { status: 400, code: "upstream_bad_request", message: /Refused for the 1\. time/ });
  t.equal(refusals, all, "each form was tried once");
  const good = await client.responses.create({ model: marked, input: "good" });
  t.equal(formOf(good), order[marked]?.[0]);
  for (let index = 0; index < 2; index += 1) t.match(await bad(), { status: 400 });
  t.equal(refusals, all + 2, "a form that has just answered is not doubted for two refusals");
  for (let index = 0; index < 10; index += 1) t.match(await bad(), { status: 400 });
  t.ok(refusals <= 12 + all * 3, `${refusals} requests: nor without end for many`);
  t.match(await (await fetch(`${harness.url}/v1/health`)).json(), {
    native_runtime: { prompt_forms: { models: [], changes: 0 } },
  });
});

t.test("a stream begins once, in the form that answers", async (t) => {
  const { client } = await start(t, "codex", {});
  const types: string[] = [];
  for await (const event of await client.responses.create({ model: marked, input: "hello", stream: true }))
    types.push(event.type);
  t.equal(types.filter((type) => type === "response.created").length, 1);
  t.equal(types.at(-1), "response.completed");
});

t.test("a backend that takes another form than before is followed at the third refusal", async (t) => {
  const harness = await start(t, null, {});
  const { backend, client } = harness;
  const ask = () =>
    client.responses.create({ model: marked, input: "hello" }).catch((error: unknown) => error);
  t.equal(formOf(await ask()), order[marked]?.[0]);
  backend.setDemandedForm("codex");
  for (let index = 0; index < 2; index += 1) t.match(await ask(), { status: 400 });
  t.equal(formOf(await ask()), "codex");
});

t.test("a chain goes on where the backend takes another form than before", async (t) => {
  const { backend, client } = await start(t, null, {});
  const first = await client.responses.create({ model: marked, input: "one" });
  backend.setDemandedForm("codex");
  const next = () =>
    client.responses
      .create({ model: marked, input: "two", previous_response_id: first.id })
      .catch((error: unknown) => error);
  for (let index = 0; index < 2; index += 1) t.match(await next(), { status: 400 });
  t.match(await next(), { native_api: { prompt_form: "codex", continuation: { mode: "replayed" } } });
});

t.test("web search is the backend's own, for marked models too", needs("prompt_forms"), async (t) => {
  const harness = await start(t, null, {});
  const answer = await harness.client.responses.create({
    model: marked,
    input: "hello",
    tools: [{ type: "web_search" }],
  });
  t.equal(formOf(answer), "lean");
  t.match(offeredTools(harness.backend.requests.at(-1)), [{ type: "web_search" }]);
});
