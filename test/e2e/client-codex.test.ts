/** The Codex CLI, unmodified, with this service as its model provider: it works in its own folder, and nothing runs in the service's. */
import { readdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import t, { type Test } from "tap";
import { makeCodexClient, workInFolder } from "../support/codex-client.js";
import { markedModel, needsMarkedModel, testCodexBin } from "../support/codex-version.js";
import { LogLines } from "../support/log-lines.js";
import { reasoning, reply, stall, text } from "../support/offline-backend/index.js";
import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";

const launcher = join(
  dirname(createRequire(import.meta.url).resolve("@openai/codex/package.json")),
  "bin",
  "codex.js",
);

async function makeClient(t: Test, { url }: ServiceHarness, model: string, websockets: boolean) {
  const root = await makeTemporaryDirectory(t);
  const command = testCodexBin === null ? ([process.execPath, launcher] as const) : ([testCodexBin] as const);
  return makeCodexClient({ root, url, model, websockets, command });
}

for (const model of ["gpt-5.5", markedModel]) {
  for (const websockets of [false, true]) {
    const name = `${model} over ${websockets ? "a WebSocket" : "HTTP"}: text, a shell, a patch`;
    t.test(name, model === markedModel ? needsMarkedModel : {}, async (t) => {
      const log = new LogLines();
      const harness = await startServiceHarness(t, { logger: log.logger });
      await harness.untilReady();
      const client = await makeClient(t, harness, model, websockets);
      const before = await listFolder(harness.stateDir);
      harness.backend.setDefaultReply(text("Hello from the model."));
      t.match(await client.run(["Say hello."]), { code: 0, stdout: /Hello from the model/ });
      harness.backend.setDefaultReply(workInFolder);
      const worked = await client.run(["Work."]);
      t.match(worked, { code: 0, stdout: /All done after 2 outputs/ }, worked.stderr);
      t.strictSame(await client.readWork(), { where: client.folder, made: "made\n" });
      t.strictSame(await listFolder(harness.stateDir), before, "nothing ran in the service's folders");
      const methods = log.lines.filter(({ route }) => route === "/v1/responses").map(({ method }) => method);
      t.ok(methods.includes(websockets ? "WS" : "POST"));
      t.notOk(methods.includes(websockets ? "POST" : "WS"));
    });
  }
}

/** Files that a command or a patch could have made. */
async function listFolder(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => /(?:where|made)\.txt$/.test(name));
}

t.test("a session is resumed, an answer keeps to its schema, and reasoning comes back", async (t) => {
  const harness = await startServiceHarness(t);
  await harness.untilReady();
  const { backend } = harness;
  const client = await makeClient(t, harness, "gpt-5.5", false);
  const thought = reasoning({ summary: ["I greet."], encryptedContent: "sealed-thought" });
  backend.setDefaultReply(reply(thought, text("Hello, Ada.")));
  t.match(await client.run(["My name is Ada."]), { code: 0, stdout: /Hello, Ada/ });
  backend.setDefaultReply(text('{"name":"Ada"}'));
  const schema = join(client.folder, "schema.json");
  const properties = { name: { type: "string" } };
  await writeFile(
    schema,
    JSON.stringify({ type: "object", properties, required: ["name"], additionalProperties: false }),
  );
  const resumed = await client.run(["resume", "--last", "--output-schema", schema, "Who am I?"]);
  t.match(resumed, { code: 0, stdout: /\{"name":"Ada"\}/ }, resumed.stderr);
  const last = backend.requests.at(-1);
  const seen = JSON.stringify(last?.fullInput);
  for (const words of ["My name is Ada", "Hello, Ada", "sealed-thought", "Who am I"])
    t.ok(seen.includes(words), words);
  t.match(JSON.stringify(last?.body), /json_schema/);
});

t.test("a client that is interrupted ends its turn", async (t) => {
  const harness = await startServiceHarness(t);
  await harness.untilReady();
  const client = await makeClient(t, harness, "gpt-5.5", false);
  harness.backend.setDefaultReply(stall());
  const leave = new AbortController();
  const running = client.run(["Wait."], { signal: leave.signal });
  await harness.backend.waitForRequest(() => true);
  leave.abort();
  t.not((await running).code, 0);
  await pollUntil(() => harness.service.health()?.queue.running === 0);
  t.pass("no turn runs");
});
