/** SIGTERM with the default grace, in the worst moments: container runtimes kill ten seconds after it, so all is over in eight. */
import t, { type Test } from "tap";
import { prepareCommand, ServeProcess } from "../support/cli-harness.js";
import { writeCodexWrapper } from "../support/codex-wrapper.js";
import { stall } from "../support/offline-backend/index.js";
import { findAppServersOf, findProcessesOf } from "../support/processes.js";
import { makeTemporaryDirectory } from "../support/runtime-harness.js";
import { pollUntil } from "../support/service-harness.js";

t.setTimeout(240_000);

const allMs = 8_000;

/** `serve` with its defaults, and a stream under way whose model says nothing. */
async function serveHangingStream(t: Test, argv: readonly string[], appServer: string | null) {
  const { root, backend, environment: ordinary } = await prepareCommand(t);
  backend.setDefaultReply(stall());
  const binDirectory = await makeTemporaryDirectory(t);
  const environment = {
    ...ordinary,
    ...(appServer !== null && {
      CODEX_NATIVE_API_CODEX_BIN: await writeCodexWrapper(binDirectory, appServer),
    }),
  };
  const serve = new ServeProcess(t, environment, ["--workers", "2", ...argv]);
  const { url } = await serve.waitFor("service.listening");
  await serve.waitFor("codex.ready");
  // The head waits for the model's first word, which never comes.
  const answer = fetch(`${String(url)}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "hello" }], stream: true }),
  }).then(
    ({ status }) => status,
    (error: unknown) => String(error),
  );
  return { root, backend, serve, answer };
}

/** It ignores SIGTERM, and so does what it starts for it. */
const deaf = `
  const child = spawn(real, args, { stdio: "inherit" });
  process.on("SIGTERM", () => {});
  child.on("exit", (code) => process.exit(code ?? 1));`;

const moments: readonly {
  readonly name: string;
  readonly argv: readonly string[];
  readonly appServer: string | null;
  readonly strike: (appServers: readonly number[]) => void;
}[] = [
  { name: "a hanging stream", argv: [], appServer: null, strike: () => {} },
  { name: "a hanging stream (stdio)", argv: ["--app-server", "stdio"], appServer: null, strike: () => {} },
  {
    name: "an app-server that hangs",
    argv: [],
    appServer: null,
    strike: (appServers) => {
      for (const pid of appServers) process.kill(pid, "SIGSTOP");
    },
  },
  {
    name: "app-servers that hang (stdio)",
    argv: ["--app-server", "stdio"],
    appServer: null,
    strike: (appServers) => {
      for (const pid of appServers) process.kill(pid, "SIGSTOP");
    },
  },
  { name: "an app-server that ignores SIGTERM", argv: [], appServer: deaf, strike: () => {} },
];

for (const { name, argv, appServer, strike } of moments) {
  t.test(`${name}: everything is over within 8 seconds of SIGTERM`, async (t) => {
    const { root, serve, backend, answer } = await serveHangingStream(t, argv, appServer);
    await backend.waitForRequest();
    strike(await findAppServersOf(root));
    const startedAtMs = performance.now();
    serve.child.kill("SIGTERM");
    const { code } = await serve.exited;
    const tookMs = performance.now() - startedAtMs;
    t.ok(tookMs < allMs, `${Math.round(tookMs)} ms`);
    // One that hangs may be ended by force at the last moment, which is 1.
    t.ok(code === 0 || (name.includes("hang") && code === 1), `it ends by itself, with ${code}`);
    t.comment(`${name}: ${Math.round(tookMs)} ms`);
    await pollUntil(async () => (await findProcessesOf(root)).length === 0, 1_000);
    t.ok((await answer) !== undefined, "its caller heard of the end");
  });
}
