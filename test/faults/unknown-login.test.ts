import t from "tap";
import { overloaded, ScriptedAppServer } from "../support/scripted-app-server/index.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";

t.test(
  "an app-server that does not say who is logged in: 503 and why, and recovery once it does",
  async (t) => {
    const appServer = await ScriptedAppServer.start(t);
    appServer.answer("account/read", overloaded);
    const { client, url, untilReady } = await startServiceHarness(t, {
      env: { CODEX_NATIVE_API_APP_SERVER: appServer.url },
    });
    await appServer.called("account/read", 3);
    await pollUntil(async () => {
      const health = await fetch(`${url}/v1/health`);
      return health.status === 503 && (await health.text()).includes("does not say who is logged in");
    });
    const fault = await client.responses.create({ input: "hello" }).catch((error: unknown) => error);
    t.match(fault, { status: 503, code: "native_runtime_unavailable", message: /who is logged in/ });
    appServer.answer("account/read", null);
    await untilReady();
    t.equal((await client.responses.create({ input: "hello" })).output_text, "fine");
  },
);
