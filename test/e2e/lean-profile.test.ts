import t from "tap";
import { additionsOf, loginsWithAccounts, takeOutAdditions } from "../support/account-additions.js";
import { needs } from "../support/codex-version.js";
import { offeredTools } from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";

for (const { login, account } of loginsWithAccounts) {
  t.test(
    `with a ${login} login and a ${account} account every model sees the caller's message and the account's known additions`,
    needs("tool_free_turns"),
    async (t) => {
      const { backend, client } = await startServiceHarness(t, { login, backend: { account } });
      const { data: models } = await client.models.list();
      t.ok(models.length > 3);
      for (const { id } of models) {
        await client.responses.create({ model: id, input: "hello" });
        const request = backend.requests.at(-1);
        t.match(request?.body, { model: id });
        t.same(request?.body.tools ?? [], [], `${id} has no tools`);
        t.notOk(request?.body.instructions, `${id} has no instructions`);
        const { rest, found } = takeOutAdditions({ input: request?.fullInput });
        t.same(found, additionsOf(account), `${id} has the known additions`);
        t.match(rest, { input: [{ role: "user", content: [{ type: "input_text", text: "hello" }] }] });
        t.has(rest, { input: { length: 1 } }, `${id} has one message`);
        if (account === "bare")
          t.ok((request?.bodyBytes ?? 0) < 2048, `${id} gets ${request?.bodyBytes} bytes`);
      }
    },
  );
}

t.test(
  "the codex profile keeps Codex's instructions and still offers no tool of Codex's",
  needs("tool_free_turns"),
  async (t) => {
    const { backend, client } = await startServiceHarness(t, { argv: ["--turn-profile", "codex"] });
    const { data: models } = await client.models.list();
    for (const { id } of models) {
      await client.responses.create({ model: id, input: "hello" });
      const request = await backend.waitForRequest(({ body }) => body.model === id);
      t.match(JSON.stringify([request.body.instructions, request.fullInput]), /Codex/, id);
      t.same(offeredTools(request), [], id);
    }
  },
);
