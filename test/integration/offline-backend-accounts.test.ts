/** That the real app-server takes what the offline backend says of an account, and what is asked in vain. */
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { WebSocket } from "ws";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { CodexDriver } from "../support/offline-backend/codex-driver.js";
import {
  createChatGptLogin,
  managedInstructions,
  OfflineBackend,
  type OfflineBackendOptions,
  requiredInstructions,
} from "../support/offline-backend/index.js";

async function logIn(t: Test, options: OfflineBackendOptions, planType?: string) {
  const backend = await OfflineBackend.start(options);
  const home = await mkdtemp(join(tmpdir(), "offline-account-"));
  t.teardown(async () => {
    await backend.close();
    await removeTree(home);
  });
  await createChatGptLogin({ home, backend, ...(planType !== undefined && { planType }) });
  const codex = await CodexDriver.start(home, backend.environment());
  t.teardown(() => codex.stop());
  return { backend, codex };
}

async function readPrompt({ backend, codex }: Awaited<ReturnType<typeof logIn>>): Promise<string> {
  await codex.runTurn(await codex.startThread(), "hello");
  return JSON.stringify(backend.requests.at(-1)?.fullInput);
}

t.test("a full account's attribution and managed instructions reach the prompt", async (t) => {
  const prompt = await readPrompt(await logIn(t, { account: "full" }));
  for (const text of [managedInstructions, requiredInstructions, "<git_attribution>"]) {
    t.ok(prompt.includes(text), text);
  }
});

t.test("a bare account adds nothing to the prompt, whatever its plan", async (t) => {
  for (const plan of ["pro", "enterprise"]) {
    const prompt = await readPrompt(await logIn(t, {}, plan));
    t.notMatch(prompt, /attribution|developer/, plan);
  }
});

t.test("a full account's windows, credits, profile, plugins and apps are read", async (t) => {
  const { codex } = await logIn(t, { account: "full" });
  t.match(await codex.call("account/read"), { account: { type: "chatgpt", planType: "enterprise" } });
  t.match(await codex.call("account/rateLimits/read"), {
    rateLimits: { primary: { usedPercent: 12 }, credits: { hasCredits: true, balance: "42.50" } },
    rateLimitsByLimitId: {
      codex_offline_spark: { limitName: "Offline-Spark", primary: { usedPercent: 30 } },
    },
  });
  t.match(JSON.stringify(await codex.call("plugin/list")), /offline-notes/);
  t.match(await codex.call("app/list"), { data: [{ name: "Offline Calendar" }] });
});

for (const webSocket of ["accept", "refuse"] as const) {
  const transport = webSocket === "accept" ? "a WebSocket" : "server-sent events";
  t.test(`over ${transport} Codex tells of the limit alone that an answer told of last`, async (t) => {
    const { codex } = await logIn(t, { account: "full", webSocket });
    const { messages } = await codex.runTurn(await codex.startThread(), "hello");
    const told = messages.filter(({ method }) => method === "account/rateLimits/updated");
    t.match(told, [
      { params: { rateLimits: { limitId: "codex_offline_spark", primary: { usedPercent: 30 } } } },
    ]);
  });
}

t.test("an unknown route makes the backend's close fail with its name", async (t) => {
  const backend = await OfflineBackend.start();
  for (const path of ["/backend-api/wham/novelty?page=1", "/backend-api/wham/novelty", "/v1/other"]) {
    const { status } = await fetch(`${backend.origin}${path}`);
    t.equal(status, 404);
  }
  await t.rejects(backend.close(), {
    message: /GET \/backend-api\/wham\/novelty, GET \/v1\/other/,
    errors: [
      { message: "Unknown route: GET /backend-api/wham/novelty" },
      { message: "Unknown route: GET /v1/other" },
    ],
  });
});

t.test("a known route by another method is unknown", async (t) => {
  const backend = await OfflineBackend.start();
  await fetch(`${backend.origin}/backend-api/wham/usage`, { method: "DELETE" });
  await t.rejects(backend.close(), { message: /DELETE \/backend-api\/wham\/usage/ });
});

t.test("an upgrade of another route than the model's is unknown too", async (t) => {
  const backend = await OfflineBackend.start();
  const socket = new WebSocket(
    `${backend.origin.replace("http", "ws")}/backend-api/wham/remote/control/server`,
  );
  const [error] = await once(socket, "error");
  t.match(error, { message: /404/ });
  await t.rejects(backend.close(), { message: /GET \/backend-api\/wham\/remote\/control\/server/ });
});

t.test("what a test announces as unknown, or a bare account does not have, is no fault", async (t) => {
  const backend = await OfflineBackend.start({ unknownRoutes: ["GET /nowhere"] });
  await fetch(`${backend.origin}/nowhere`);
  await fetch(`${backend.origin}/backend-api/wham/settings/user`);
  t.match(
    backend.asked.map(({ method, path }) => `${method} ${path}`),
    ["GET /nowhere", "GET /backend-api/wham/settings/user"],
  );
  await backend.close();
});
