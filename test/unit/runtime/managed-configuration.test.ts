import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { ManagedConfiguration } from "../../../src/main/runtime/managed-configuration.js";
import { makeTemporaryDirectory } from "../../support/runtime-harness.js";

const minuteMs = 60_000;

/** A home, a clock, and a Codex that writes its copy there as long as it has anything to say. */
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

t.test("it is read for the first start and not for another one soon after", async (t) => {
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

t.test("a copy that was removed, and one of another login, is read anew", async (t) => {
  const { provide, codex, file } = await create(t);
  await provide();
  await writeFile(file, "{");
  t.equal(await provide(), "ready");
  t.equal(codex.reads, 2);
  await provide("two");
  t.equal(codex.reads, 3);
});

t.test(
  "another app-server is called for where something else is demanded, and by nothing else",
  async (t) => {
    const { provide, managed, read, codex, pass } = await create(t);
    await provide();
    pass(45);
    t.notOk(await managed.renew(read), "the same");
    t.equal(managed.renewalInMs, 45 * minuteMs);
    codex.demands = "second";
    t.ok(await managed.renew(read));
    t.ok(await managed.renew(read), "until one has started with it");
    await provide();
    t.notOk(await managed.renew(read));
  },
);

t.test("a read that fails leaves the copy there was, and is tried again soon", async (t) => {
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
  t.ok(await managed.renew(read), "another app-server can be cut off");
  t.equal(await provide(), "ready");
});

t.test("where Codex wants none there is nothing to read again", async (t) => {
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

t.test("a clock that was set back makes a copy old and no wait long", async (t) => {
  const { provide, managed, codex, pass } = await create(t);
  await provide();
  pass(-600);
  t.equal(managed.renewalInMs, 45 * minuteMs);
  t.equal(await provide(), "ready");
  t.equal(codex.reads, 2);
});
