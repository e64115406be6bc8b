import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import {
  ensurePrivateDirectory,
  removeTree,
  writePrivateFile,
} from "../../../../src/main/codex/home/private-files.js";
import { keepWriting, makeDirectory } from "../fixtures.js";

t.test("a missing directory and its parents are created for this user only", async (t) => {
  const path = join(await makeDirectory(t), "a", "b");
  await ensurePrivateDirectory(path, "state directory");
  t.equal((await stat(path)).mode & 0o777, 0o700);
  t.equal((await stat(join(path, ".."))).mode & 0o777, 0o700);
  await ensurePrivateDirectory(path, "state directory");
});

t.test("a directory that is open to others is refused, with the remedy", async (t) => {
  const path = join(await makeDirectory(t), "open");
  await mkdir(path);
  await chmod(path, 0o750);
  await t.rejects(ensurePrivateDirectory(path, "state directory"), {
    code: "native_runtime_unavailable",
    message: /The state directory is open to other users; run `chmod 700`/,
  });
});

t.test("a directory of another user is refused", { skip: process.getuid?.() !== 0 }, async (t) => {
  const path = join(await makeDirectory(t), "theirs");
  await mkdir(path, { mode: 0o700 });
  await chown(path, 12_345, 12_345);
  await t.rejects(ensurePrivateDirectory(path, "state directory"), { message: /belongs to another user/ });
});

t.test("a file in place of the directory is refused", async (t) => {
  const path = join(await makeDirectory(t), "file");
  await writeFile(path, "");
  await t.rejects(ensurePrivateDirectory(path, "state directory"), { message: /is not a directory/ });
});

t.test(
  "a link to a private directory is accepted: people move such directories to other disks",
  async (t) => {
    const directory = await makeDirectory(t);
    await mkdir(join(directory, "real"), { mode: 0o700 });
    await symlink(join(directory, "real"), join(directory, "link"));
    await ensurePrivateDirectory(join(directory, "link"), "state directory");
  },
);

t.test("a file is replaced atomically and readable by this user only", async (t) => {
  const directory = await makeDirectory(t);
  const path = join(directory, "file");
  await writeFile(path, "old", { mode: 0o644 });
  await writePrivateFile(path, "new");
  t.equal(await readFile(path, "utf8"), "new");
  t.equal((await stat(path)).mode & 0o777, 0o600);
  t.same(await readdir(directory), ["file"]);
});

t.test("a failed write leaves nothing behind", async (t) => {
  const directory = await makeDirectory(t);
  await mkdir(join(directory, "taken", "deep"), { recursive: true });
  await t.rejects(writePrivateFile(join(directory, "taken"), "new"));
  t.same(await readdir(directory), ["taken"]);
});

t.test("a directory that a process still writes to is removed as soon as that ends", async (t) => {
  const directory = join(await makeDirectory(t), "busy");
  const deep = join(directory, "deep");
  await mkdir(deep, { recursive: true });
  await writeFile(join(deep, "first"), "");
  let hasBegun = false;
  keepWriting(t, () => {
    const isOver = hasBegun;
    // The removal of what was there has begun: the next file is the last one.
    hasBegun = !existsSync(join(deep, "first"));
    return isOver ? [] : [deep];
  });
  await removeTree(directory);
  t.ok(hasBegun);
  await t.rejects(stat(directory), { code: "ENOENT" });
  await removeTree(directory);
});

t.test("the removal of a directory that a process writes to without end fails in the end", async (t) => {
  const directory = await makeDirectory(t);
  keepWriting(t, () => [directory]);
  await t.rejects(removeTree(directory), { code: "ENOTEMPTY" });
});
