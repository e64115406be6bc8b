/** Names of models over HTTP: what runs, what is told, and what a token's list lets through. */
import t from "tap";
import { fakeModels, readyHealth } from "../support/fake-runtime.js";
import { call, namedToken, serveFake } from "../support/http-fixture.js";

const aliases = {
  fast: { model: "gpt-fake-mini", effort: "low", tier: "priority" },
  gone: { model: "gpt-none" },
};
const naming = { aliases, defaultName: null, catalog: fakeModels, isOpen: false };
const aliasHealth = [
  { name: "fast", model: "gpt-fake-mini", effort: "low", serviceTier: "priority", problem: null },
  {
    name: "gone",
    model: "gpt-none",
    effort: null,
    serviceTier: null,
    problem: "Codex's catalog has no model 'gpt-none'.",
  },
];

async function serveNames(...[t, options]: Parameters<typeof serveFake>) {
  const fixture = await serveFake(t, options);
  fixture.runtime.naming = naming;
  fixture.runtime.currentHealth = { ...readyHealth, aliases: aliasHealth };
  return fixture;
}

t.test("each dialect runs what the name stands for and tells what was asked", async (t) => {
  const fixture = await serveNames(t);
  const lastTurn = () => fixture.runtime.turns.at(-1)?.request;
  const response = await call(fixture, "/v1/responses", { body: { model: "fast", input: "hi" } });
  t.match(response.json(), {
    // What ran, as the runtime says.
    model: "gpt-fake",
    reasoning: { effort: "low" },
    service_tier: "priority",
    native_api: { requested_model: "fast" },
  });
  t.match(lastTurn(), { model: "gpt-fake-mini", effort: "low", serviceTier: "priority" });
  const messages = [{ role: "user", content: "hi" }];
  const body = { model: "openai/gpt-fake(high)", messages };
  const completion = await call(fixture, "/v1/chat/completions", { body });
  t.match(completion.json(), { model: "gpt-fake", native_api: { requested_model: "openai/gpt-fake(high)" } });
  t.match(lastTurn(), { model: "gpt-fake", effort: "high" });
  const unnamed = await call(fixture, "/v1/responses", { body: { input: "hi" } });
  t.match(unnamed.json(), { native_api: { requested_model: null } });
});

t.test("what the request itself says has precedence over the name", async (t) => {
  const fixture = await serveNames(t);
  const ask = async (path: string, body: object) => {
    await call(fixture, path, { body });
    return fixture.runtime.turns.at(-1)?.request;
  };
  const input = { model: "fast", input: "hi" };
  t.match(await ask("/v1/responses", { ...input, reasoning: { effort: "high" }, service_tier: "flex" }), {
    effort: "high",
    serviceTier: "flex",
  });
  t.match(await ask("/v1/responses", { ...input, service_tier: "default" }), { serviceTier: null });
  t.match(await ask("/v1/responses", { ...input, service_tier: "auto" }), { serviceTier: "priority" });
  const messages = [{ role: "user", content: "hi" }];
  t.match(await ask("/v1/chat/completions", { model: "fast-high", messages, reasoning_effort: "medium" }), {
    effort: "medium",
  });
});

t.test("aliases are listed and retrieved with what they stand for; one of nothing is not", async (t) => {
  const fixture = await serveNames(t);
  const list = (await call(fixture, "/v1/models")).json();
  t.match(list, {
    data: [
      { id: "gpt-fake", native_api: { stands_for: null } },
      { id: "gpt-fake-mini" },
      {
        id: "fast",
        default: false,
        capabilities: { default_reasoning_effort: "low" },
        native_api: { stands_for: { model: "gpt-fake-mini", effort: "low", service_tier: "priority" } },
      },
    ],
    native_api: { catalog_checked: true },
  });
  t.notMatch(JSON.stringify(list), /gone/);
  t.match((await call(fixture, "/v1/models/fast")).json(), { id: "fast" });
  t.match((await call(fixture, "/v1/models/openai%2Fgpt-fake(high)")).json(), {
    id: "openai/gpt-fake(high)",
    native_api: { stands_for: { model: "gpt-fake", effort: "high", service_tier: null } },
  });
  t.equal((await call(fixture, "/v1/models/gone")).status, 404);
  t.match((await call(fixture, "/v1/models/gpt-fakes")).json(), {
    error: { code: "model_not_found", message: /Did you mean 'gpt-fake'/ },
  });
});

t.test("health tells the aliases, and what is wrong with them", async (t) => {
  const fixture = await serveNames(t);
  t.match((await call(fixture, "/v1/health")).json(), {
    native_runtime: {
      model_names: {
        catalog_checked: true,
        aliases: [
          { name: "fast", problem: null },
          { name: "gone", problem: /no model 'gpt-none'/ },
        ],
      },
    },
  });
});

t.test("no spelling gets around a token's list", async (t) => {
  const tokens = [
    namedToken("mini", "token-for-mini-123456", { models: ["gpt-fake-mini"] }),
    namedToken("fast", "token-for-fast-123456", { models: ["fast"] }),
  ];
  const fixture = await serveNames(t, { tokens, authToken: "s3cret" });
  const statusOf = async (name: string, model: string): Promise<string> => {
    const headers = { authorization: `Bearer token-for-${name}-123456` };
    const ways = [
      call(fixture, "/v1/responses", { headers, body: { model, input: "hi" } }),
      call(fixture, "/v1/responses", { headers, body: { model, input: "hi", background: true } }),
      call(fixture, "/v1/chat/completions", {
        headers,
        body: { model, messages: [{ role: "user", content: "hi" }] },
      }),
      call(fixture, `/v1/models/${encodeURIComponent(model)}`, { headers }),
    ];
    const statuses = new Set((await Promise.all(ways)).map(({ status }) => status));
    return [...statuses].join();
  };
  for (const model of [
    "gpt-fake",
    "openai/gpt-fake",
    "gpt-fake(low)",
    "gpt-fake-low",
    "codex/gpt-fake-high",
    "gpt-other",
  ]) {
    t.equal(await statusOf("mini", model), "403", model);
    t.equal(await statusOf("fast", model), "403", model);
  }
  for (const model of [
    "gpt-fake-mini",
    "openai/gpt-fake-mini",
    "gpt-fake-mini(low)",
    "gpt-fake-mini-low",
    "fast",
    "fast(high)",
  ]) {
    t.equal(await statusOf("mini", model), "200", model);
  }
  for (const model of ["fast", "openai/fast", "fast(high)"])
    t.equal(await statusOf("fast", model), "200", model);
  t.equal(await statusOf("fast", "gpt-fake-mini"), "403", "what its alias stands for is another name");
  const headers = { authorization: "Bearer token-for-fast-123456" };
  t.match((await call(fixture, "/v1/models", { headers })).json(), { data: [{ id: "fast", default: true }] });
  const body = { input: "hi" };
  t.match((await call(fixture, "/v1/responses", { headers, body })).json(), {
    reasoning: { effort: "low" },
    native_api: { requested_model: null },
  });
  t.match(fixture.runtime.turns.at(-1)?.request, { model: "gpt-fake-mini", serviceTier: "priority" });
});
