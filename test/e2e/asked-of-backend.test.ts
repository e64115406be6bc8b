/** What Codex asks of its backend, and of anybody else, while the service works: docs/operations.md has it as a table. */
import t from "tap";
import { lastUserText, type OfflineBackend, text } from "../support/offline-backend/index.js";
import { recordOutside } from "../support/outside-recorder.js";
import { logins } from "../support/prompt-matrix.js";
import { startServiceHarness } from "../support/service-harness.js";

const ofTheModel = ["GET /v1/responses", "POST /v1/responses"];
const ofAnAccount = [
  "GET /v1/models",
  "GET /backend-api/wham/accounts/check",
  "GET /backend-api/wham/config/bundle",
  "GET /backend-api/wham/rate-limit-reset-credits",
  "GET /backend-api/wham/settings/user",
  "GET /backend-api/wham/usage",
];

function listRoutes({ asked }: OfflineBackend): readonly string[] {
  return [...new Set(asked.map(({ method, path }) => `${method} ${path}`))].sort();
}

for (const { name, login, hasAccount } of logins) {
  t.test(
    `with ${name} Codex asks the backend for models, account and answers alone, and nobody else for anything`,
    async (t) => {
      const outside = await recordOutside(t);
      const { backend, client, url, untilReady } = await startServiceHarness(t, {
        ...login,
        backend: { ...login.backend, account: "full" },
        env: outside.environment,
      });
      backend.setDefaultReply((request) => text(lastUserText(request)));
      await untilReady();
      await client.models.list();
      const first = await client.responses.create({ input: "one", instructions: "Be brief." });
      await client.responses.create({ input: "two", previous_response_id: first.id });
      t.equal((await fetch(`${url}/v1/health`)).status, 200);
      const known = [...ofTheModel, ...(hasAccount ? ofAnAccount : [])];
      t.same(
        listRoutes(backend).filter((route) => !known.includes(route)),
        [],
      );
      t.same([...outside.asked], []);
    },
  );
}
