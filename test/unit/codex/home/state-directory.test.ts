import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
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
import { repairAuthLink } from "../../../../src/main/codex/home/auth-link.js";
import {
  type InstanceDirectory,
  openStateDirectory,
} from "../../../../src/main/codex/home/state-directory.js";
import { readProcessIdentity } from "../../../../src/main/codex/process/process-identity.js";
import { keepWriting, makeDeadPid, makeDirectory, startSleeper, type WithTeardown } from "../fixtures.js";

async function open(t: WithTeardown, path: string): Promise<InstanceDirectory> {
  const instance = await openStateDirectory({ path, stopStepMs: 5_000, wallClock: Date.now });
  t.teardown(() => instance.close());
  return instance;
}

/** Makes an instance look as if its service had been killed: renames it to the name of a dead owner. */
async function orphan(instance: InstanceDirectory): Promise<string> {
  const [host, , start, suffix] = basename(instance.path).split("-");
  const path = join(dirname(instance.path), `${host}-${await makeDeadPid()}-${start}-${suffix}`);
  await rename(instance.path, path);
  return path;
}

t.test("an instance has all its directories, private to this user", async (t) => {
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

t.test("a state directory that is open to others is refused", async (t) => {
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

t.test("another process's service on the same state directory is reported", async (t) => {
  const root = await makeDirectory(t);
  const other = await open(t, root);
  const sleeper = await startSleeper(t);
  const start = (await readProcessIdentity(sleeper))?.startedAt;
  const [host, , , suffix] = basename(other.path).split("-");
  const digest = createHash("sha256").update(String(start)).digest("hex").slice(0, 8);
  await rename(other.path, join(dirname(other.path), `${host}-${sleeper}-${digest}-${suffix}`));
  t.match((await open(t, root)).notices, [{ event: "shared_with_another", pid: sleeper }]);
});

t.test("services that start at the same time each get their own instance", async (t) => {
  const root = await makeDirectory(t);
  const closed = await open(t, root);
  await closed.close();
  const all = await Promise.all(Array.from({ length: 8 }, () => open(t, root)));
  t.equal(new Set(all.map(({ path }) => path)).size, 8);
  t.equal((await readdir(join(root, "instances"))).length, 8, "one of them took over the released instance");
});

t.test(
  "after a clean shutdown the next service takes over the instance, with its warm home and an empty work directory",
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

t.test("all but one of the instances of dead services are removed", async (t) => {
  const root = await makeDirectory(t);
  for (const instance of [await open(t, root), await open(t, root), await open(t, root)])
    await orphan(instance);
  const next = await open(t, root);
  t.same(await readdir(join(root, "instances")), [basename(next.path)]);
  t.same(next.notices, [{ event: "stale_instance_removed" }, { event: "stale_instance_removed" }]);
});

/** Something unrecorded still writes there, whatever the instances are called by now. */
function keepWritingInAll(t: WithTeardown, root: string, ...place: readonly string[]): void {
  const instances = join(root, "instances");
  keepWriting(t, () =>
    readdirSync(instances)
      .map((name) => join(instances, name, ...place))
      .filter((path) => existsSync(path)),
  );
}

t.test(
  "an instance whose work directory cannot be emptied is kept, and the service starts in another",
  async (t) => {
    const root = await makeDirectory(t);
    const first = await open(t, root);
    await mkdir(join(first.work, "litter"));
    await orphan(first);
    keepWritingInAll(t, root, "work", "litter");
    const next = await open(t, root);
    t.match(next.notices, [{ event: "stale_instance_kept", reason: /ENOTEMPTY/ }]);
    t.same(await readdir(next.work), []);
  },
);

t.test("an instance that cannot be removed is kept, and the service starts", async (t) => {
  const root = await makeDirectory(t);
  const both = [await open(t, root), await open(t, root)];
  for (const { codexHome } of both) await mkdir(join(codexHome, "tmp"));
  for (const instance of both) await orphan(instance);
  keepWritingInAll(t, root, "codex-home", "tmp");
  const next = await open(t, root);
  t.match(next.notices, [{ event: "stale_instance_kept", reason: /ENOTEMPTY/ }]);
  t.same(await readdir(next.work), []);
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

t.test("a login that a dead service had not handed over is moved to the user's home", async (t) => {
  const root = await makeDirectory(t);
  const userCodexHome = join(root, "user");
  const first = await open(t, join(root, "state"));
  await repairAuthLink({ userCodexHome, ownCodexHome: first.codexHome });
  await rm(join(first.codexHome, "auth.json"));
  await writeFile(join(first.codexHome, "auth.json"), "a login");
  await orphan(first);
  const next = await open(t, join(root, "state"));
  t.same(next.notices, [{ event: "login_rescued", outcome: "moved_to_user" }]);
  t.equal(await readFile(join(userCodexHome, "auth.json"), "utf8"), "a login");
});

t.test("a login of an unknown user is kept, with its instance", async (t) => {
  const root = await makeDirectory(t);
  const first = await open(t, root);
  await writeFile(join(first.codexHome, "auth.json"), "whose?");
  await orphan(first);
  const next = await open(t, root);
  t.match(next.notices, [{ event: "stale_instance_kept", reason: /whose login/ }]);
  t.equal((await readdir(join(root, "instances"))).length, 2);
});

t.test("another host's instance is left alone while it is touched, and taken over otherwise", async (t) => {
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
});

t.test("directories that are not instances are left alone", async (t) => {
  const root = await makeDirectory(t);
  await mkdir(join(root, "instances", "notes"), { recursive: true, mode: 0o700 });
  await chmod(join(root, "instances"), 0o700);
  await open(t, root);
  t.ok((await lstat(join(root, "instances", "notes"))).isDirectory());
});

t.test("an instance with recorded children keeps its name on close", async (t) => {
  const root = await makeDirectory(t);
  const first = await open(t, root);
  await writeFile(join(first.ledger, "1.json"), "{}");
  await first.close();
  t.same(await readdir(join(root, "instances")), [basename(first.path)]);
});

t.test(
  "if the path is too long for a socket, a short private one is used, and removed on close",
  async (t) => {
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
  },
);

t.test("the short socket directory of a dead service is removed too", async (t) => {
  const root = join(await makeDirectory(t), "d".repeat(120));
  const first = await open(t, root);
  const short = await readlink(join(first.path, "run"));
  await orphan(first);
  const second = await open(t, root);
  await t.rejects(lstat(short), { code: "ENOENT" });
  t.not(dirname(second.socketPath(1)), short);
});

t.test("closing does not fail if the state directory was removed", async (t) => {
  const root = join(await makeDirectory(t), "state");
  const instance = await open(t, root);
  await rm(root, { recursive: true });
  await instance.close();
});

t.test("repair recreates removed directories of a running instance", async (t) => {
  const root = join(await makeDirectory(t), "state");
  const instance = await open(t, root);
  await rm(root, { recursive: true });
  await instance.repair();
  for (const path of [instance.codexHome, instance.work, instance.ledger, dirname(instance.socketPath(1))]) {
    t.equal((await lstat(path)).mode & 0o777, 0o700, path);
  }
});

t.test("repair replaces a removed short socket directory", async (t) => {
  const instance = await open(t, join(await makeDirectory(t), "x".repeat(120)));
  const before = dirname(instance.socketPath(1));
  await rm(before, { recursive: true });
  await instance.repair();
  const after = dirname(instance.socketPath(2));
  t.not(after, before);
  t.ok((await lstat(after)).isDirectory());
});
