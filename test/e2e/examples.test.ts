/**
 * The programs of examples/ as a user runs them. (side-task-host: side-task-host.test.ts; embedded-host: package.test.ts;
 * from-codexbridge: from-codexbridge.test.ts.)
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import t from "tap";
import {
  functionCall,
  lastUserText,
  type OfflineBackend,
  reply,
  text,
  textInDeltas,
} from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";

const compiled = (name: string) => fileURLToPath(new URL(`../../examples/${name}/main.js`, import.meta.url));
/** Not compiled: where it is in the sources. */
const askScript = fileURLToPath(new URL("../../../examples/curl/ask.sh", import.meta.url));

async function runProgram(command: string, argv: readonly string[], baseUrl: string) {
  const child = spawn(command, argv, {
    env: { PATH: process.env.PATH ?? "", CODEX_NATIVE_API_BASE_URL: baseUrl },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let faults = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    faults += chunk;
  });
  const [code] = await once(child, "close");
  return { code, output, faults };
}

const runExample = (name: string, baseUrl: string, ...words: string[]) =>
  runProgram(process.execPath, [compiled(name), ...words], baseUrl);

function answerAndClassify(backend: OfflineBackend): void {
  backend.setDefaultReply((request) =>
    request.body.text?.format === undefined
      ? textInDeltas(`re: ${lastUserText(request)}`, 3, 1)
      : text('{"intent":"command"}'),
  );
}

const curlMissing = spawnSync("curl", ["--version"]).error === undefined ? false : "curl is not installed";

t.test("curl", { skip: curlMissing }, async (t) => {
  const { backend, url, untilReady } = await startServiceHarness(t);
  answerAndClassify(backend);
  await untilReady();
  const question = 'Is "C:\\temp"\na folder?';
  const plain = await runProgram(askScript, [question], `${url}/v1`);
  t.match(plain, { code: 0, faults: "" });
  t.match(JSON.parse(plain.output), {
    status: "completed",
    output: [{ type: "message", content: [{ text: 're: Is "C:\\temp" a folder?' }] }],
  });
  const streamed = await runProgram(askScript, ["--stream", "one", "two"], `${url}/v1`);
  t.match(streamed, { code: 0, faults: "" });
  t.match(streamed.output, /^event: response\.created\ndata: \{/);
  t.ok(streamed.output.split("event: response.output_text.delta\n").length > 2, "more than one delta");
  t.match(streamed.output, /\nevent: response\.completed\ndata: \{.*"re: one two"/);
  const lost = await runProgram(askScript, ["hello"], `${url}/v2`);
  t.not(lost.code, 0);
  t.match(lost.output, /"error"/, "a fault is shown");
});

t.test("openai-node", async (t) => {
  const { backend, url, untilReady } = await startServiceHarness(t);
  answerAndClassify(backend);
  await untilReady();
  const { code, output, faults } = await runExample("openai-node", `${url}/v1`, "open", "the garage");
  t.equal(faults, "");
  t.equal(code, 0);
  t.equal(
    output,
    [
      "answer      re: open the garage",
      "in short    re: Say that in three words.",
      "intent      command",
      "completion  re: open the garage",
      "",
    ].join("\n"),
  );
  t.match(backend.requests[1]?.fullInput, [
    { role: "user", content: [{ text: "open the garage" }] },
    { role: "assistant", content: [{ text: "re: open the garage" }] },
    { role: "user" },
  ]);
});

t.test("ai-sdk", async (t) => {
  const { backend, url, untilReady } = await startServiceHarness(t);
  const callOf = (city: string) => functionCall({ name: "weather", arguments: { city } });
  backend.queueReply(reply(callOf("Rome"), callOf("Oslo")));
  backend.setDefaultReply(textInDeltas("A light jacket.", 3, 1));
  await untilReady();
  const { code, output, faults } = await runExample("ai-sdk", `${url}/v1`, "What should I wear?");
  t.equal(faults, "");
  t.equal(code, 0);
  t.equal(
    output,
    [
      'weather  {"city":"Rome","sky":"clear","celsius":12}',
      'weather  {"city":"Oslo","sky":"clear","celsius":12}',
      "A light jacket.",
      "",
    ].join("\n"),
  );
});

t.test("langchain", async (t) => {
  const { backend, url, untilReady } = await startServiceHarness(t);
  answerAndClassify(backend);
  await untilReady();
  const { code, output, faults } = await runExample("langchain", `${url}/v1`, "open the garage");
  t.equal(faults, "");
  t.equal(code, 0);
  t.equal(output, "answer  re: open the garage\nintent  command\n");
});
