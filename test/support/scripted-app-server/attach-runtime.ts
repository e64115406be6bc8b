import type { Test } from "tap";
import type { CodexNativeRuntime } from "../../../src/main/runtime/runtime.js";
import { createRuntimeHarness, type RuntimeHarnessOptions } from "../runtime-harness.js";
import { ScriptedAppServer } from "./scripted-app-server.js";

/** A scripted app-server and a runtime that is attached to it, ready. */
export async function attachRuntime(
  t: Pick<Test, "teardown">,
  runtimeOptions: RuntimeHarnessOptions["runtime"] = {},
): Promise<{ readonly appServer: ScriptedAppServer; readonly runtime: CodexNativeRuntime }> {
  const appServer = await ScriptedAppServer.start(t);
  const { runtime } = await createRuntimeHarness(t, {
    runtime: {
      workers: 1,
      appServer: { kind: "tcp", url: appServer.url },
      ...runtimeOptions,
      // What a turn asks is what a test sees asked.
      turns: { spareThreads: 0, ...runtimeOptions?.turns },
    },
  });
  const readiness = await runtime.start();
  if (!readiness.ready) throw new Error(`the runtime is not ready: ${readiness.error.message}`);
  return { appServer, runtime };
}
