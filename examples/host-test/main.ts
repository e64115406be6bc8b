/** A test of a program that uses this service: on the real Codex, without a login, and nothing leaves the machine. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
// In your program: from "codex-native-api".
import { CodexNativeApiService, createConfig } from "../../src/main/index.js";
// In your program: from "codex-native-api/testing".
import {
  createChatGptLogin,
  lastUserText,
  type OfflineBackend,
  startOfflineBackend,
  text,
  usageLimitReached,
} from "../../test/support/offline-backend/testing.js";

/** The code under test: part of your program. */
async function classify(baseUrl: string, sentence: string): Promise<string> {
  const response = await fetch(`${baseUrl}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ instructions: "Answer with command or question.", input: sentence }),
  });
  if (response.status === 429) return "later";
  const { output } = (await response.json()) as { output: { content?: { text: string }[] }[] };
  return output.flatMap(({ content = [] }) => content.map((part) => part.text)).join("");
}

let directory: string;
let backend: OfflineBackend;
let service: CodexNativeApiService;
let baseUrl: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "host-test-"));
  backend = await startOfflineBackend();
  // A Codex home of the test's own, whose config.toml and login lead to the backend.
  const userHome = join(directory, "codex");
  await createChatGptLogin({ home: userHome, backend });
  const created = createConfig({
    listen: { port: 0 },
    codex: { userHome, stateDir: join(directory, "state") },
  });
  assert(created.ok);
  const environment = { PATH: process.env.PATH, ...backend.environment() };
  service = new CodexNativeApiService({ config: created.config, environment });
  const { url } = await service.start();
  baseUrl = url ?? "";
  const readiness = await service.untilSettled(120_000);
  assert(readiness.ready, JSON.stringify(readiness));
});

after(async () => {
  await service.stop();
  await backend.close();
  await rm(directory, { recursive: true });
});

test("the model's answer is what the program says", async () => {
  backend.queueReply(text("command"));
  assert.equal(await classify(baseUrl, "Open the garage."), "command");
  const request = backend.requests.at(-1);
  assert(request);
  assert.equal(lastUserText(request), "Open the garage.");
});

test("when the plan is used up, the program says later", async () => {
  backend.queueReply(usageLimitReached({ resetsInSeconds: 60 }));
  assert.equal(await classify(baseUrl, "Is it open?"), "later");
});
