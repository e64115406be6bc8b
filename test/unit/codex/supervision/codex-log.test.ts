import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { findCodexBinary, identifyFile } from "../../../../src/main/codex/binary/codex-binary.js";
import { CodexLog, type RunningBinary } from "../../../../src/main/codex/supervision/codex-log.js";
import { CodexNativeApiError } from "../../../../src/main/errors.js";
import { fakeModels } from "../../../support/fake-runtime.js";
import { LogLines } from "../../../support/log-lines.js";
import { makeDirectory, type WithTeardown, writeScript } from "../fixtures.js";

/** A fake Codex that only prints its version, and the lines logged about it. */
async function setUp(t: WithTeardown) {
  const directory = await makeDirectory(t);
  const path = join(directory, "codex");
  const install = (version: string) => writeScript(path, `echo codex-cli ${version} # ${Math.random()}`);
  await install("0.169.0");
  const search = { configured: path, env: { PATH: "/usr/bin:/bin" }, timeoutMs: 10_000 };
  const start = async (): Promise<RunningBinary> => ({
    ...(await findCodexBinary(search)),
    file: await identifyFile(path),
  });
  let running: RunningBinary | null = await start();
  const { logger, lines } = new LogLines();
  const create = () => new CodexLog({ running: () => running, search, directory: () => directory, logger });
  return {
    path,
    directory,
    install,
    lines,
    create,
    restart: async () => {
      running = await start();
    },
    forget: () => {
      running = null;
    },
  };
}

t.test("a binary that replaces the running one is logged once", async (t) => {
  const { create, install, lines, restart } = await setUp(t);
  const log = create();
  await log.checkBinary();
  t.strictSame(lines, []);
  await install("0.171.0");
  await log.checkBinary();
  await log.checkBinary();
  t.match(lines, [
    {
      event: "codex.binary_replaced",
      running: "0.169.0",
      found: "0.171.0",
      msg: /restart to use it/,
    },
  ]);
  t.equal(lines.length, 1);
  await install("0.172.0");
  await log.checkBinary();
  t.match(lines[1], { event: "codex.binary_replaced", found: "0.172.0" });
  await restart();
  await log.checkBinary();
  t.equal(lines.length, 2, "the new one runs");
});

t.test("another build of the same version counts as another binary", async (t) => {
  const { create, install, lines } = await setUp(t);
  const log = create();
  await install("0.169.0");
  await log.checkBinary();
  t.match(lines, [{ event: "codex.binary_replaced", running: "0.169.0", found: "0.169.0" }]);
});

t.test("a half-written binary is checked again", async (t) => {
  const { create, install, lines, path } = await setUp(t);
  const log = create();
  await writeFile(path, "#!/bin/sh\necho cod");
  await log.checkBinary();
  t.strictSame(lines, []);
  await install("0.171.0");
  await log.checkBinary();
  t.match(lines, [{ event: "codex.binary_replaced", found: "0.171.0" }]);
});

t.test("a missing binary is logged once", async (t) => {
  const { create, lines, path, install } = await setUp(t);
  const log = create();
  await rm(path);
  await log.checkBinary();
  await log.checkBinary();
  t.match(lines, [{ event: "codex.binary_gone", msg: /install Codex/ }]);
  t.equal(lines.length, 1);
  await install("0.169.0");
  await log.checkBinary();
  t.match(lines[1], { event: "codex.binary_replaced" });
});

t.test("the binary of an app-server that somebody else runs is not checked", async (t) => {
  const { create, lines, path, forget } = await setUp(t);
  forget();
  await rm(path);
  await create().checkBinary();
  t.strictSame(lines, []);
});

/** Models with this default. */
const modelsWith = (defaultId: string) =>
  fakeModels.map((model) => ({ ...model, isDefault: model.id === defaultId }));

t.test("a changed default model is logged, also if it changed between two runs", async (t) => {
  const { create, lines, directory } = await setUp(t);
  const first = create();
  await first.noteModels(modelsWith("gpt-fake"));
  await first.noteModels(modelsWith("gpt-fake"));
  t.strictSame(lines, [], "the first default is no change");
  await first.noteModels(modelsWith("gpt-fake-mini"));
  t.match(lines, [
    {
      event: "codex.default_model_changed",
      before: "gpt-fake",
      model: "gpt-fake-mini",
      msg: /requests without a model/,
    },
  ]);
  const second = create();
  await second.noteModels(modelsWith("gpt-fake-mini"));
  t.equal(lines.length, 1);
  await second.noteModels([]);
  await create().noteModels(modelsWith("gpt-fake"));
  t.match(lines[1], { before: "gpt-fake-mini", model: "gpt-fake" });
  t.equal(await readFile(join(directory, "default-model"), "utf8"), "gpt-fake\n");
});

t.test(
  "an app-server that is replaced as planned is no error, unless the next one has to wait",
  async (t) => {
    const { create, lines } = await setUp(t);
    const log = create();
    const down = {
      generation: 1,
      stderrTail: "",
      retryInMs: 0,
      isPlanned: true,
      exhausted: false,
      cause: null,
    };
    log.appServerReady(1, null);
    log.appServerDown({ ...down, reason: "asked for" });
    log.appServerReady(2, null);
    log.appServerDown({ ...down, reason: "asked for", retryInMs: 30_000, exhausted: true });
    log.appServerReady(3, null);
    log.appServerDown({ ...down, reason: "it died", isPlanned: false });
    t.match(lines, [{ level: 30, event: "app_server.down", isPlanned: true }, { level: 50 }, { level: 50 }]);
  },
);

t.test("an expected start failure has no stack in the log", async (t) => {
  const { create, lines } = await setUp(t);
  const log = create();
  const reason = "The configured Codex binary was not found.";
  t.equal(log.startFailed(new CodexNativeApiError("native_runtime_unavailable", reason)), reason);
  t.match(lines[0], { level: 50, event: "app_server.start_failed", msg: reason });
  t.notOk("err" in (lines[0] ?? {}));
  t.match(lines[1], { level: 20, err: { stack: String } }, "the stack is at debug level");
  t.match(log.startFailed(new Error("what")), /the log says why/);
  t.match(lines[2], { level: 50, err: { message: "what" } });
});
