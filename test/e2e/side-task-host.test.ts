/** examples/side-task-host as a user runs it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import t from "tap";
import { lastUserText, type OfflineBackend, text } from "../support/offline-backend/index.js";
import { createRuntimeHarness } from "../support/runtime-harness.js";
import { startServiceHarness } from "../support/service-harness.js";

const program = fileURLToPath(new URL("../../examples/side-task-host/main.js", import.meta.url));

async function runHost(argv: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [program, ...argv], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
  });
  const [code] = await once(child, "close");
  return { code, output };
}

function answerTasks(backend: OfflineBackend): void {
  backend.setDefaultReply((request) =>
    text(request.body.text?.format === undefined ? `plain ${lastUserText(request)}` : '{"intent":"command"}'),
  );
}

t.test("on the service", async (t) => {
  const { backend, url, untilReady } = await startServiceHarness(t);
  answerTasks(backend);
  await untilReady();
  const { code, output } = await runHost(["open", "the", "garage"], {
    CODEXBRIDGE_INTERNAL_NATIVE_API_ENABLED: "1",
    CODEXBRIDGE_INTERNAL_NATIVE_API_BASE_URL: url,
  });
  t.equal(code, 0);
  t.match(output, /^intent {6}\{"intent":"command"\} {2}\(localhost_api, \S+\)$/m);
  t.match(output, /^normalized {2}plain open the garage {2}\(localhost_api, \S+\)$/m);
});

t.test("on a runtime of its own, as the service is not there", async (t) => {
  const { backend, userHome, stateDir } = await createRuntimeHarness(t);
  answerTasks(backend);
  const { code, output } = await runHost(["--native", "open the garage"], {
    ...backend.environment(),
    HOME: userHome,
    CODEX_HOME: userHome,
    CODEX_NATIVE_API_STATE_DIR: stateDir,
    CODEXBRIDGE_INTERNAL_NATIVE_API_ENABLED: "1",
    CODEXBRIDGE_INTERNAL_NATIVE_API_BASE_URL: "http://127.0.0.1:9",
  });
  t.equal(code, 0);
  t.match(output, /"intent":"command"\} {2}\(direct_native, \S+; localhost_api: unreachable ECONNREFUSED\)/);
});

t.test("it tells every fault of its settings, and that there is no route", async (t) => {
  const wrong = await runHost([], {
    CODEXBRIDGE_INTERNAL_NATIVE_API_ENABLED: "perhaps",
    CODEX_NATIVE_API_FALLBACK_MODEL: "m",
  });
  t.equal(wrong.code, 2);
  t.match(wrong.output, /_ENABLED: "perhaps" is not allowed.*\n.*_FALLBACK_BASE_URL: is needed/);
  const none = await runHost([], {});
  t.equal(none.code, 1);
  t.match(none.output, /^no_route: /);
});
