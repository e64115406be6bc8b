/** Moments in which `auth.json` is not whole, as those who write it make them: none of them is a logout. */
import { readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import t from "tap";
import { logout, text, textInDeltas } from "../support/offline-backend/index.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";

t.setTimeout(240_000);

/** Longer than the service takes to look, and shorter than its patience. */
const brokenMs = 1_500;

const moments: readonly [name: string, damage: (file: string, whole: string) => Promise<void>][] = [
  ["empty", (file) => truncate(file, 0)],
  ["cut in half", (file, whole) => writeFile(file, whole.slice(0, whole.length / 2))],
  ["missing", (file) => rename(file, `${file}.old`)],
];

for (const [name, damage] of moments) {
  t.test(`auth.json is ${name} for a moment: turns and chains go on, on the same app-server`, async (t) => {
    const { backend, client, service, userHome, untilReady } = await startServiceHarness(t);
    await untilReady();
    const file = join(userHome, "auth.json");
    const whole = await readFile(file, "utf8");
    const first = await client.responses.create({ input: "first" });
    const pid = service.health()?.appServer?.pid;
    const notReady: unknown[] = [];
    service.on("unavailable", (event) => void notReady.push(event));
    backend.queueReply(textInDeltas("a long answer", 10, 250));
    const inFlight = client.responses.create({ input: "under way" });
    await backend.waitForRequest((request) => JSON.stringify(request.fullInput).includes("under way"));
    backend.setDefaultReply(text("fine"));
    await damage(file, whole);
    await delay(brokenMs);
    const next = await client.responses.create({ input: "next", previous_response_id: first.id });
    t.equal(next.status, "completed", "a chain goes on");
    await writeFile(file, whole, { mode: 0o600 });
    t.equal((await inFlight).status, "completed");
    await delay(brokenMs);
    t.equal((await client.responses.create({ input: "after" })).status, "completed");
    t.equal(service.health()?.appServer?.pid, pid);
    t.same(notReady, [], "nobody was told of a logout");
  });

  t.test(`an app-server that starts while auth.json is ${name} waits until it is whole`, async (t) => {
    const { backend, client, service, userHome, untilReady } = await startServiceHarness(t);
    await untilReady();
    backend.setDefaultReply(text("fine"));
    const file = join(userHome, "auth.json");
    const whole = await readFile(file, "utf8");
    const codes: string[] = [];
    service.on("unavailable", ({ code }) => void codes.push(code));
    await damage(file, whole);
    process.kill(service.health()?.appServer?.pid ?? 0, "SIGKILL");
    const turn = client.responses.create({ input: "hello" });
    await delay(brokenMs);
    await writeFile(file, whole, { mode: 0o600 });
    t.equal((await turn).status, "completed");
    t.notOk(codes.includes("native_login_required"));
  });
}

for (const [name, damage] of [...moments.slice(0, 2), ["removed", (file: string) => rm(file)] as const]) {
  t.test(`auth.json that stays ${name} is a logout, and the next login ends it`, async (t) => {
    const { client, service, userHome, untilReady } = await startServiceHarness(t);
    await untilReady();
    const file = join(userHome, "auth.json");
    const whole = await readFile(file, "utf8");
    await damage(file, whole);
    await pollUntil(() => {
      const readiness = service.health()?.readiness;
      return readiness?.ready === false && readiness.error.code === "native_login_required";
    }, 40_000);
    const refused = await client.responses.create({ input: "hello" }).catch((error: unknown) => error);
    t.match(refused, { status: 503, code: "native_login_required" });
    await writeFile(file, whole, { mode: 0o600 });
    await untilReady();
    t.equal((await client.responses.create({ input: "hello" })).status, "completed");
  });
}

t.test("a login that is made while the first app-server starts is seen", async (t) => {
  const { userHome, service, client, untilReady } = await startServiceHarness(t);
  await untilReady();
  const file = join(userHome, "auth.json");
  const whole = await readFile(file, "utf8");
  await service.stop();
  await logout(userHome);
  for (const afterMs of [0, 200, 500]) {
    await service.start();
    await delay(afterMs);
    await writeFile(file, whole, { mode: 0o600 });
    await pollUntil(() => service.health()?.readiness.ready === true, 30_000);
    await service.stop();
    await logout(userHome);
  }
  t.ok(client);
});
