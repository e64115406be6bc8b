/** Over stdio, an app-server whose lines come with garbage between them, and one that dies in the middle of a line. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { writeCodexWrapper } from "../support/codex-wrapper.js";
import { reply, stall, text } from "../support/offline-backend/index.js";
import { createRuntimeHarness, makeTemporaryDirectory } from "../support/runtime-harness.js";
import { runTurn } from "../support/scripted-app-server/index.js";
import { pollUntil } from "../support/service-harness.js";

const directory = await makeTemporaryDirectory(t);
const cutMark = join(directory, "cut");
const bin = await writeCodexWrapper(
  directory,
  `const child = spawn(real, args, { stdio: ["pipe", "pipe", "inherit"] });
  process.stdin.pipe(child.stdin);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code) => process.exit(code ?? 1));
  let isCut = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (isCut) return;
    process.stdout.write("} no JSON {\\n[1, 2]\\n\\n");
    if (!line.includes('"agentMessage"') || !existsSync(${JSON.stringify(cutMark)})) return process.stdout.write(line + "\\n");
    rmSync(${JSON.stringify(cutMark)});
    isCut = true;
    child.kill("SIGKILL");
    process.stdout.write(line.slice(0, line.length / 2), () => process.exit(1));
  });`,
);
const { runtime, backend } = await createRuntimeHarness(t, {
  runtime: { workers: 1, appServer: { kind: "stdio" }, codex: { bin } },
});

t.test("garbage between the lines costs nothing", async (t) => {
  t.same(await runtime.start(), { ready: true });
  backend.setDefaultReply(text({ deltas: ["fi", "ne"] }));
  t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
  t.match(runtime.health().workers, [{ reconnects: 0 }]);
});

t.test("a process that dies in the middle of a line: what it half said was not said", async (t) => {
  await writeFile(cutMark, "");
  backend.queueReply(reply(text({ deltas: ["half", " more"] }), stall({ afterDeltas: 1 })));
  backend.setDefaultReply(text("whole"));
  t.match(await runTurn(runtime), { end: "completed", streamed: "whole" }, "so the turn is run again unseen");
  await pollUntil(() => runtime.health().workers[0]?.reconnects === 1);
});
