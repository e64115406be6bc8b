import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { ManagedConfiguration } from "../../../../src/main/codex/home/managed-configuration.js";
import { makeTemporaryDirectory } from "../../../support/runtime-harness.js";

const minuteMs = 60_000;

/** A home, a clock, and a fake Codex that writes its copy to the home if the organisation has a configuration. */
async function create(t: Test, renewEveryMs = 45 * minuteMs) {
  const path = await makeTemporaryDirectory(t);
  const file = join(path, "cloud-config-bundle-cache.json");
  const codex = { demands: "first" as string | null, isReachable: true, reads: 0 };
  let nowMs = Date.UTC(2026, 0, 1);
  const managed = new ManagedConfiguration({ wallClock: () => nowMs, renewEveryMs });
  const read = async (): Promise<boolean> => {
    codex.reads += 1;
    if (!codex.isReachable) return false;
    const isKept = await access(file).then(
      () => true,
      () => false,
    );
    if (isKept || codex.demands === null) return true;
    const expires_at = new Date(nowMs + 60 * minuteMs).toISOString();
    const bundle = { requirements_toml: { enterprise_managed: [codex.demands] } };
    await writeFile(file, JSON.stringify({ signed_payload: { expires_at, bundle }, signature: "" }));
    return true;
  };
  return {
    managed,
    codex,
    file,
    read,
    pass: (minutes: number) => {
      nowMs += minutes * minuteMs;
    },
    provide: (login = "one") => managed.provide({ login, path }, read),
  };
}

t.test("the configuration is read for the first start, and not for another one soon after", async (t) => {
  const { provide, codex, managed, pass } = await create(t);
  t.equal(managed.renewalInMs, null, "nothing was read yet");
  t.equal(await provide(), "ready");
  pass(30);
  t.equal(await provide(), "ready");
  t.equal(codex.reads, 1);
  t.equal(managed.renewalInMs, 15 * minuteMs);
  pass(15);
  t.equal(await provide(), "ready");
  t.equal(codex.reads, 2, "a start after the interval reads it");
});

t.test("a removed copy, or another login's, is read again", async (t) => {
  const { provide, codex, file } = await create(t);
  await provide();
  await writeFile(file, "{");
  t.equal(await provide(), "ready");
  t.equal(codex.reads, 2);
  await provide("two");
  t.equal(codex.reads, 3);
});

t.test("a new app-server is needed if the configuration has changed, and only then", async (t) => {
  const { provide, managed, read, codex, pass } = await create(t);
  await provide();
  pass(45);
  t.notOk(await managed.renew(read), "unchanged");
  t.equal(managed.renewalInMs, 45 * minuteMs);
  codex.demands = "second";
  t.ok(await managed.renew(read));
  t.ok(await managed.renew(read), "until an app-server has started with it");
  await provide();
  t.notOk(await managed.renew(read));
});

t.test("a failed read keeps the old copy and is tried again soon", async (t) => {
  const { provide, managed, read, codex, pass, file } = await create(t);
  await provide();
  const before = await readFile(file, "utf8");
  pass(45);
  codex.isReachable = false;
  t.notOk(await managed.renew(read));
  t.equal(await readFile(file, "utf8"), before);
  t.equal(managed.renewalInMs, 5 * minuteMs);
  t.equal(await provide(), "failed", "the copy is too old for another start");
  codex.isReachable = true;
  t.ok(await managed.renew(read), "a new app-server can start with it");
  t.equal(await provide(), "ready");
});

t.test("if the account has no configuration, nothing is read again", async (t) => {
  const { provide, managed, read, codex } = await create(t);
  codex.demands = null;
  t.equal(await provide(), "none");
  t.equal(managed.renewalInMs, null);
  t.notOk(await managed.renew(read));
  t.equal(codex.reads, 1);
  await provide();
  managed.forget();
  t.equal(managed.renewalInMs, null);
});

t.test("if the clock was set back, the copy counts as old and the wait stays short", async (t) => {
  const { provide, managed, codex, pass } = await create(t);
  await provide();
  pass(-600);
  t.equal(managed.renewalInMs, 45 * minuteMs);
  t.equal(await provide(), "ready");
  t.equal(codex.reads, 2);
});
