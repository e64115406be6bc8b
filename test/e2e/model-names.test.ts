/** Names of models on a real Codex: what it is asked to run, and what the answer says. */
import t from "tap";
import { startServiceHarness } from "../support/service-harness.js";

const env = { CODEX_NATIVE_API_MODEL_ALIASES: "thrifty=gpt-5.5?effort=low,gone=gpt-0" };

t.test("aliases and efforts in names reach the model backend as model and effort", async (t) => {
  const { backend, client, service, url } = await startServiceHarness(t, { env });
  const asked = async (model: string) => {
    const response = await client.responses.create({ model, input: "hi" });
    const { body } = backend.requests.at(-1) ?? {};
    t.match(response, { model: "gpt-5.5", native_api: { requested_model: model } }, model);
    return body;
  };
  t.match(await asked("thrifty"), { model: "gpt-5.5", reasoning: { effort: "low" } });
  t.match(await asked("openai/gpt-5.5(high)"), { model: "gpt-5.5", reasoning: { effort: "high" } });
  t.match(await asked("gpt-5.5-medium"), { model: "gpt-5.5", reasoning: { effort: "medium" } });
  const messages = [{ role: "user", content: "hi" }] as const;
  const completion = await client.chat.completions.create({
    model: "codex/gpt-5.5-high",
    messages: [...messages],
  });
  t.equal(completion.model, "gpt-5.5");
  await t.rejects(client.responses.create({ model: "gpt-5.5-nonsense", input: "hi" }), {
    code: "model_not_found",
  });
  t.match(await client.models.retrieve("thrifty"), {
    id: "thrifty",
    native_api: { stands_for: { model: "gpt-5.5" } },
  });
  t.match(service.runtime?.health().aliases, [{ problem: null }, { name: "gone", problem: /gpt-0/ }]);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  t.notMatch(metrics, /thrifty|\(high\)|openai\/gpt/, "metrics have the model, however it was spelled");

  const items = [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }];
  const direct = await service.runtime?.runIsolatedTurn({ model: "thrifty", items });
  t.equal(direct?.model, "gpt-5.5", "a host's own turns too");
  t.match(backend.requests.at(-1)?.body, { reasoning: { effort: "low" } });
});

for (const profile of ["lean", "codex"]) {
  t.test(`an answer tells the effort that the backend was asked for: ${profile}`, async (t) => {
    const argv = ["--turn-profile", profile, "--default-model", "thrifty"];
    const { backend, client } = await startServiceHarness(t, { env, argv });
    const efforts = async (model: string | undefined, effort?: "high") => {
      const body = { input: "hi", stream: true, ...(effort && { reasoning: { effort } }) } as const;
      const told: unknown[] = [];
      for await (const event of await client.responses.create({ ...body, ...(model && { model }) }))
        if ("response" in event) told.push(event.response.reasoning?.effort);
      t.equal(new Set(told).size, 1, told.join(", "));
      return [told.at(-1), backend.requests.at(-1)?.body.reasoning?.effort ?? null];
    };
    t.strictSame(await efforts(undefined), ["low", "low"], "of the default model's alias");
    t.strictSame(await efforts(undefined, "high"), ["high", "high"]);
    t.strictSame(await efforts("thrifty"), ["low", "low"]);
    const own = profile === "codex" ? "medium" : null;
    t.strictSame(await efforts("gpt-5.5"), [own, own], "of the model itself");
  });
}

t.test("a chain goes on natively whichever way its model is spelled", async (t) => {
  const { client } = await startServiceHarness(t, { env });
  const first = await client.responses.create({ model: "gpt-5.5", input: "hi" });
  const second = await client.responses.create({
    model: "openai/gpt-5.5",
    input: "and?",
    previous_response_id: first.id,
  });
  t.match(second, { model: "gpt-5.5", native_api: { continuation: { mode: "native" } } });
});

t.test("a name that only the catalog can tell waits for a Codex that is starting", async (t) => {
  const { service } = await startServiceHarness(t, { env });
  await service.stop();
  await service.start();
  t.match(await service.runtime?.resolveModel?.("gpt-5.5(high)"), { model: "gpt-5.5", effort: "high" });
});

t.test("names of a provider of the user's own are passed on, and health says so", async (t) => {
  const { client, service, backend } = await startServiceHarness(t, { env, login: "provider" });
  const response = await client.responses.create({ model: "openai/some-model-high", input: "hi" });
  t.equal(response.model, "openai/some-model-high");
  t.match(backend.requests.at(-1)?.body, { model: "openai/some-model-high" });
  t.match(service.runtime?.health(), {
    catalog: { isChecked: false },
    aliases: [{}, { name: "gone", problem: null }],
  });
});
