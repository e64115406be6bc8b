import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  utimes,
  writeFile,
} from "node:fs/promises";
import { connect, createServer } from "node:net";
import { basename, dirname, join } from "node:path";
import t from "tap";
import { mendAuthLink } from "../../../../src/main/runtime/app-server/auth-link.js";
import { readProcessIdentity } from "../../../../src/main/runtime/app-server/process-identity.js";
import {
  type InstanceDirectory,
  openStateDirectory,
} from "../../../../src/main/runtime/app-server/state-directory.js";
import { makeDeadPid, makeDirectory, startSleeper, type WithTeardown } from "./fixtures.js";

async function open(t: WithTeardown, path: string): Promise<InstanceDirectory> {
  const instance = await openStateDirectory({ path, stopStepMs: 5_000, wallClock: Date.now });
  t.teardown(() => instance.close());
  return instance;
}

/** Makes an instance look as if its service had been killed: its name tells an owner that is dead. */
async function orphan(instance: InstanceDirectory): Promise<string> {
  const [host, , start, suffix] = basename(instance.path).split("-");
  const path = join(dirname(instance.path), `${host}-${await makeDeadPid()}-${start}-${suffix}`);
  await rename(instance.path, path);
  return path;
}

t.test("an instance has all its directories, open to this user only", async (t) => {
  const root = join(await makeDirectory(t), "state");
  const instance = await open(t, root);
  for (const path of [root, instance.path, instance.codexHome, instance.work, instance.ledger]) {
    const found = await lstat(path);
    t.ok(found.isDirectory(), path);
    t.equal(found.mode & 0o777, 0o700, path);
  }
  t.match(instance.socketPath(3), /g3\.sock$/);
  t.not(instance.socketPath(3), instance.socketPath(4));
  t.same(instance.notices, []);
});

t.test("a state directory that others may enter is refused", async (t) => {
  const root = await makeDirectory(t);
  await chmod(root, 0o755);
  await t.rejects(open(t, root), {
    code: "native_runtime_unavailable",
    message: /CODEX_NATIVE_API_STATE_DIR/,
  });
});

t.test("a second service on the same state directory gets an instance of its own", async (t) => {
  const root = await makeDirectory(t);
  const [first, second] = [await open(t, root), await open(t, root)];
  t.not(first.path, second.path);
  t.not(first.codexHome, second.codexHome);
  t.not(first.socketPath(1), second.socketPath(1));
});

t.test("a service of another process on the same state directory is told of", async (t) => {
  const root = await makeDirectory(t);
  const other = await open(t, root);
  const sleeper = await startSleeper(t);
  const start = (await readProcessIdentity(sleeper))?.startedAt;
  const [host, , , suffix] = basename(other.path).split("-");
  const digest = createHash("sha256").update(String(start)).digest("hex").slice(0, 8);
  await rename(other.path, join(dirname(other.path), `${host}-${sleeper}-${digest}-${suffix}`));
  t.match((await open(t, root)).notices, [{ event: "shared_with_another", pid: sleeper }]);
});

t.test("many services that start at once all get their own", async (t) => {
  const root = await makeDirectory(t);
  const closed = await open(t, root);
  await closed.close();
  const all = await Promise.all(Array.from({ length: 8 }, () => open(t, root)));
  t.equal(new Set(all.map(({ path }) => path)).size, 8);
  t.equal((await readdir(join(root, "instances"))).length, 8, "one of them took the released one on");
});

t.test(
  "what a service leaves in good order, the next takes on with its warm home and an empty work directory",
  async (t) => {
    const root = await makeDirectory(t);
    const first = await open(t, root);
    await writeFile(join(first.codexHome, "state_5.sqlite"), "warm");
    await writeFile(join(first.work, "litter"), "x");
    await first.close();
    await first.close();
    const second = await open(t, root);
    t.equal(await readFile(join(second.codexHome, "state_5.sqlite"), "utf8"), "warm");
    t.same(await readdir(second.work), []);
    t.same(await readdir(join(root, "instances")), [basename(second.path)]);
  },
);

t.test("instances of dead services are cleared away but for one", async (t) => {
  const root = await makeDirectory(t);
  for (const instance of [await open(t, root), await open(t, root), await open(t, root)])
    await orphan(instance);
  const next = await open(t, root);
  t.same(await readdir(join(root, "instances")), [basename(next.path)]);
  t.same(next.notices, [{ event: "stale_instance_removed" }, { event: "stale_instance_removed" }]);
});

t.test("the processes of a dead service are ended first", async (t) => {
  const root = await makeDirectory(t);
  const first = await open(t, root);
  const pid = await startSleeper(t);
  const entry = {
    process: await readProcessIdentity(pid),
    supervisor: { pid: 1, startedAt: "another-boot/1" },
  };
  await writeFile(join(first.ledger, `${pid}.json`), JSON.stringify(entry));
  await orphan(first);
  const next = await open(t, root);
  t.same(next.notices, [{ event: "orphan_reaped", pid, outcome: "terminated" }]);
  t.equal(await readProcessIdentity(pid), null);
});

t.test("a login that a dead service had not handed over is brought to the user", async (t) => {
  const root = await makeDirectory(t);
  const userCodexHome = join(root, "user");
  const first = await open(t, join(root, "state"));
  await mendAuthLink({ userCodexHome, ownCodexHome: first.codexHome });
  await rm(join(first.codexHome, "auth.json"));
  await writeFile(join(first.codexHome, "auth.json"), "a login");
  await orphan(first);
  const next = await open(t, join(root, "state"));
  t.same(next.notices, [{ event: "login_rescued", outcome: "moved_to_user" }]);
  t.equal(await readFile(join(userCodexHome, "auth.json"), "utf8"), "a login");
});

t.test("a login of nobody known is kept, with its instance", async (t) => {
  const root = await makeDirectory(t);
  const first = await open(t, root);
  await writeFile(join(first.codexHome, "auth.json"), "whose?");
  await orphan(first);
  const next = await open(t, root);
  t.match(next.notices, [{ event: "stale_instance_kept", reason: /whose login/ }]);
  t.equal((await readdir(join(root, "instances"))).length, 2);
});

t.test(
  "an instance of another host is left alone while it is touched, and taken when it is not",
  async (t) => {
    const root = await makeDirectory(t);
    const instances = join(root, "instances");
    const foreign = join(instances, "00000000-1-11111111-222222");
    await mkdir(foreign, { recursive: true, mode: 0o700 });
    await chmod(instances, 0o700);
    const first = await open(t, root);
    t.ok((await lstat(foreign)).isDirectory());
    await first.close();
    const old = new Date(Date.now() - 3_600_000);
    await utimes(foreign, old, old);
    const second = await open(t, root);
    t.same(await readdir(instances), [basename(second.path)]);
  },
);

t.test("what is not an instance is left alone", async (t) => {
  const root = await makeDirectory(t);
  await mkdir(join(root, "instances", "notes"), { recursive: true, mode: 0o700 });
  await chmod(join(root, "instances"), 0o700);
  await open(t, root);
  t.ok((await lstat(join(root, "instances", "notes"))).isDirectory());
});

t.test("an instance with children on record keeps its name when it is closed", async (t) => {
  const root = await makeDirectory(t);
  const first = await open(t, root);
  await writeFile(join(first.ledger, "1.json"), "{}");
  await first.close();
  t.same(await readdir(join(root, "instances")), [basename(first.path)]);
});

t.test("a path too long for a socket is answered with a short private one, removed on close", async (t) => {
  const root = join(await makeDirectory(t), "d".repeat(120));
  const instance = await open(t, root);
  const socketPath = instance.socketPath(999_999);
  t.ok(Buffer.byteLength(socketPath) <= 103, socketPath);
  t.equal((await lstat(dirname(socketPath))).mode & 0o777, 0o700);
  const server = createServer().listen(socketPath);
  await once(server, "listening");
  const socket = connect(socketPath);
  await once(socket, "connect");
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  await instance.close();
  await t.rejects(lstat(dirname(socketPath)), { code: "ENOENT" });
});

t.test("the short socket directory of a dead service is removed too", async (t) => {
  const root = join(await makeDirectory(t), "d".repeat(120));
  const first = await open(t, root);
  const short = await readlink(join(first.path, "run"));
  await orphan(first);
  const second = await open(t, root);
  await t.rejects(lstat(short), { code: "ENOENT" });
  t.not(dirname(second.socketPath(1)), short);
});

t.test("a state directory removed under a running service does not make closing fail", async (t) => {
  const root = join(await makeDirectory(t), "state");
  const instance = await open(t, root);
  await rm(root, { recursive: true });
  await instance.close();
});

t.test("what somebody removed of a running instance is made anew by mending", async (t) => {
  const root = join(await makeDirectory(t), "state");
  const instance = await open(t, root);
  await rm(root, { recursive: true });
  await instance.mend();
  for (const path of [instance.codexHome, instance.work, instance.ledger, dirname(instance.socketPath(1))]) {
    t.equal((await lstat(path)).mode & 0o777, 0o700, path);
  }
});

t.test("a short socket directory that is gone is followed by another", async (t) => {
  const instance = await open(t, join(await makeDirectory(t), "x".repeat(120)));
  const before = dirname(instance.socketPath(1));
  await rm(before, { recursive: true });
  await instance.mend();
  const after = dirname(instance.socketPath(2));
  t.not(after, before);
  t.ok((await lstat(after)).isDirectory());
});
