import t from "tap";
import { text } from "../support/offline-backend/index.js";
import { createRuntimeHarness, userMessage } from "../support/runtime-harness.js";
import { pollUntil } from "../support/service-harness.js";

t.test(
  "an app-server that hangs is noticed and replaced, and turns run again",
  { timeout: 90_000 },
  async (t) => {
    const { backend, runtime } = await createRuntimeHarness(t);
    backend.setDefaultReply(text("fine"));
    t.same(await runtime.start(), { ready: true });
    const pid = runtime.health().appServer?.pid ?? 0;
    process.kill(pid, "SIGSTOP");
    const turn = runtime.runIsolatedTurn({ items: [userMessage("hello")] }).then(
      (result) => result.outcome.status,
      (error: unknown) => error,
    );
    await pollUntil(() => {
      const server = runtime.health().appServer;
      return server?.pid !== pid && runtime.readiness.ready;
    }, 60_000);
    t.equal((await runtime.runIsolatedTurn({ items: [userMessage("again")] })).outcome.status, "completed");
    t.comment(`the turn that met the hang: ${String(await turn)}`);
  },
);
