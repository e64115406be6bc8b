import os from "node:os";
import t, { type Test } from "tap";
import type { CodexNativeRuntime } from "../../src/main/runtime/runtime.js";
import type { IsolatedTurnRequest } from "../../src/main/runtime/types.js";
import { isAtLeast } from "../../src/workers/contract/codex-capabilities.js";
import { loginsWithAccounts } from "../support/account-additions.js";
import { needs, testCodexVersion } from "../support/codex-version.js";
import { modelsOfBothForms } from "../support/prompt-matrix.js";
import { createRuntimeHarness, type RuntimeHarnessOptions, userMessage } from "../support/runtime-harness.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";
import { shownToModel } from "../support/shown-to-model.js";

const weather = {
  name: "weather",
  description: "The weather in a city.",
  parameters: { type: "object", properties: {} },
};

/** Two items are injected; one plain text is the turn's own input. */
const prompts = ["", "Answer with one word."].flatMap((instructions) => [
  { instructions, items: [userMessage("I have a question."), userMessage("hello")] },
  { instructions: `${instructions} Be brief.`, items: [userMessage("hello")] },
]);

const blankThreads: { readonly skip?: string } = isAtLeast(testCodexVersion, 0, 169)
  ? {}
  : { skip: `Codex ${testCodexVersion} sends instructions in another way` };

async function runOnSpare(t: Test, runtime: CodexNativeRuntime, request: IsolatedTurnRequest): Promise<void> {
  await pollUntil(() => runtime.health().spareThreads.ready > 0);
  const { taken } = runtime.health().spareThreads;
  await runtime.runIsolatedTurn(request);
  t.equal(runtime.health().spareThreads.taken, taken + 1);
}

async function compareSpares(
  t: Test,
  harness: RuntimeHarnessOptions,
  models: readonly (string | undefined)[],
): Promise<void> {
  const { backend, runtime } = await createRuntimeHarness(t, harness);
  t.same(await runtime.start(), { ready: true });
  for (const model of models) {
    for (const { instructions, items } of prompts) {
      const request = { items, instructions, tools: [weather], ...(model !== undefined && { model }) };
      await runtime.runIsolatedTurn(request);
      const fresh = shownToModel(backend.requests.at(-1));
      await runtime.runIsolatedTurn(request);
      await runOnSpare(t, runtime, request);
      t.same(shownToModel(backend.requests.at(-1)), fresh);
    }
  }
}

for (const [index, { login, account }] of loginsWithAccounts.entries()) {
  // The other form differs by its model, and not by who is logged in.
  const models = index === 0 ? modelsOfBothForms : [undefined];
  for (const profile of ["lean", "codex"] as const) {
    t.test(
      `in the ${profile} profile, with a ${login} login and a ${account} account, the model cannot tell a spare thread from a fresh one`,
      (t) => compareSpares(t, { login, backend: { account }, runtime: { turns: { profile } } }, models),
    );
  }
}

t.test(
  "the model cannot tell a thread that was blank from one that was started with the turn's instructions",
  blankThreads,
  async (t) => {
    const cases = [
      { login: "provider", model: undefined },
      { login: "chatgpt", model: "gpt-5.5" },
    ] as const;
    for (const { login, model } of cases) {
      const turns = model === undefined ? {} : { defaultModel: model };
      const { backend, runtime } = await createRuntimeHarness(t, { login, runtime: { turns } });
      t.same(await runtime.start(), { ready: true });
      for (const [index, { items }] of prompts.entries()) {
        const tools = [{ ...weather, name: `weather_${index}` }];
        const shownTo = (instructions: string) =>
          JSON.stringify(shownToModel(backend.requests.at(-1))).replace(instructions, "The instructions.");
        for (const instructions of ["Be brief.", "Be briefer."]) {
          await runtime.runIsolatedTurn({ items, instructions, tools });
        }
        const fresh = shownTo("Be briefer.");
        t.match(fresh, "The instructions.");
        await runOnSpare(t, runtime, { items, instructions: "Be the briefest.", tools });
        t.same(shownTo("Be the briefest."), fresh);
      }
    }
  },
);

t.test(
  "a chain goes on natively on a thread that was blank, and other instructions are replayed",
  blankThreads,
  async (t) => {
    const { backend, client, untilReady } = await startServiceHarness(t);
    await untilReady();
    const ask = (instructions: string, previous: string | null) =>
      client.responses.create({ input: "hello", instructions, previous_response_id: previous });
    for (const instructions of ["One.", "Two.", "Three."]) await ask(instructions, null);
    const head = await ask("Four.", null);
    t.match(await ask("Four.", head.id), { native_api: { continuation: { mode: "native" } } });
    t.match(
      backend.requests.at(-1)?.fullInput.filter(({ role }) => role === "developer"),
      { length: 1 },
    );
    t.match(await ask("Five.", head.id), { native_api: { continuation: { mode: "replayed" } } });
    const told = JSON.stringify(backend.requests.at(-1)?.body);
    t.notMatch(told, "Four.");
    t.match(told, "Five.");
  },
);

t.test("no turn finds anything of another's on its spare thread", async (t) => {
  const { backend, runtime } = await createRuntimeHarness(t);
  t.same(await runtime.start(), { ready: true });
  for (const word of ["one", "two", "three", "four"]) {
    if (word === "three") await pollUntil(() => runtime.health().spareThreads.ready > 0);
    await runtime.runIsolatedTurn({ items: [userMessage(word)] });
    t.equal(backend.requests.at(-1)?.fullInput.length, 1);
    t.match(backend.requests.at(-1)?.fullInput[0], { content: [{ text: word }] });
  }
  t.ok(runtime.health().spareThreads.taken > 0);
});

t.test("what stood by while the machine slept is given up, and chains go on by replay", async (t) => {
  const { client, service, untilReady } = await startServiceHarness(t);
  await untilReady();
  const ask = (fields: { readonly previous_response_id?: string } = {}) =>
    client.responses.create({ input: "hello", ...fields });
  for (let turn = 0; turn < 2; turn += 1) await ask();
  const head = await ask();
  await pollUntil(() => (service.health()?.spareThreads.ready ?? 0) > 0);
  const { taken } = service.health()?.spareThreads ?? {};
  const realUptime = os.uptime;
  t.teardown(() => {
    os.uptime = realUptime;
  });
  os.uptime = () => realUptime() + 8 * 3_600;
  t.match(await ask({ previous_response_id: head.id }), {
    native_api: { continuation: { mode: "replayed" } },
  });
  t.equal(service.health()?.spareThreads.taken, taken, "it found no thread of before");
});

t.test("settings that come once start no thread ahead", async (t) => {
  const { runtime } = await createRuntimeHarness(t);
  t.same(await runtime.start(), { ready: true });
  for (const name of ["one", "two", "three"]) {
    await runtime.runIsolatedTurn({ items: [userMessage("hello")], tools: [{ ...weather, name }] });
  }
  t.same(runtime.health().spareThreads, { ready: 0, taken: 0, missed: 3, discarded: 0 });
});

t.test(
  "spare threads are bounded, and a dead app-server takes them with it",
  needs("thread_unload"),
  async (t) => {
    const { runtime } = await createRuntimeHarness(t, { runtime: { turns: { spareThreads: 2 } } });
    t.same(await runtime.start(), { ready: true });
    for (const instructions of ["one", "two", "three"]) {
      const request = { items: [userMessage("hello")], instructions };
      for (let turn = 0; turn < 3; turn += 1) {
        await Promise.all([runtime.runIsolatedTurn(request), runtime.runIsolatedTurn(request)]);
      }
    }
    await pollUntil(() => runtime.health().spareThreads.ready === 2);
    await runtime.reconnect();
    t.equal(runtime.health().spareThreads.ready, 0);
    const { outcome } = await runtime.runIsolatedTurn({ items: [userMessage("hello")], instructions: "one" });
    t.equal(outcome.status, "completed");
  },
);

t.test("switched off, each turn starts its own thread", async (t) => {
  const { runtime } = await createRuntimeHarness(t, { runtime: { turns: { spareThreads: 0 } } });
  t.same(await runtime.start(), { ready: true });
  for (let turn = 0; turn < 4; turn += 1) await runtime.runIsolatedTurn({ items: [userMessage("hello")] });
  t.same(runtime.health().spareThreads, { ready: 0, taken: 0, missed: 4, discarded: 0 });
});
