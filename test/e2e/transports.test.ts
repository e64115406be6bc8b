import t from "tap";
import { accountAddsToPrompts } from "../../src/main/codex/login/account-base.js";
import type { AppServerTransport } from "../../src/main/config/codex-choices.js";
import { CodexNativeRuntime } from "../../src/main/runtime/runtime.js";
import { testCodexVersion } from "../support/codex-version.js";
import { startForeignAppServer } from "../support/foreign-app-server.js";
import { lastUserText, text } from "../support/offline-backend/index.js";
import { findAppServersOf, findProcessesOf } from "../support/processes.js";
import { createRuntimeHarness, testLogger, userMessage } from "../support/runtime-harness.js";

const transports: readonly AppServerTransport[] = [{ kind: "shared" }, { kind: "stdio" }];

for (const appServer of transports) {
  t.test(`turns run over ${appServer.kind}, many at once, and closing leaves no process`, async (t) => {
    const { runtime, backend, stateDir } = await createRuntimeHarness(t, { runtime: { appServer } });
    backend.setDefaultReply((request) => text(lastUserText(request).toUpperCase()));
    t.same(await runtime.start(), { ready: true });
    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        let streamed = "";
        await runtime.runIsolatedTurn(
          { items: [userMessage(`n${index}`)] },
          {
            onEvent: (event) => {
              if (event.type === "text.delta") streamed += event.delta;
            },
          },
        );
        return streamed;
      }),
    );
    t.same(
      results,
      results.map((_, index) => `N${index}`),
    );
    t.equal(runtime.health().appServer?.transport, appServer.kind);
    t.equal((await findAppServersOf(stateDir)).length, appServer.kind === "shared" ? 1 : 2);
    await runtime.close();
    t.same(await findProcessesOf(stateDir), []);
  });
}

t.test(
  "an app-server of someone else's is used, named for what it may add to prompts, and left running",
  async (t) => {
    const owner = await createRuntimeHarness(t, { login: "chatgpt" });
    const foreign = await startForeignAppServer(t, owner.userHome);
    const { appServer } = foreign;
    const runtime = new CodexNativeRuntime({ ...owner.options, appServer }, testLogger);
    t.teardown(() => runtime.destroy());
    t.same(await runtime.start(), { ready: true });
    t.equal((await runtime.runIsolatedTurn({ items: [userMessage("hello")] })).outcome.status, "completed");
    t.equal(
      runtime.health().degraded.includes("caller_only_prompt"),
      accountAddsToPrompts(testCodexVersion),
      "an account's own settings cannot be kept out of it",
    );
    // It has tools of its own, so that it might run a call of one of that name itself.
    const tool = { name: "apply_patch", description: "", parameters: {}, kind: "custom" } as const;
    const exact = { type: "custom", name: "apply_patch" };
    const refused = runtime.runIsolatedTurn({ items: [userMessage("hello")], tools: [{ ...tool, exact }] });
    await t.rejects(refused, {
      code: "invalid_request",
      param: "tools",
      message: /'apply_patch' has a grammar/,
    });
    await runtime.close();
    t.equal(foreign.process.exitCode, null, "it is not ours to stop");
  },
);
