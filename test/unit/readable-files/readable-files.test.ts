/** Files that a stranger names: only regular text below the roots is read, whatever the path tries. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import {
  findRootFault,
  findUselessRoots,
  ReadableFileError,
  readableFileLimits,
  readFileBelow,
  readFilesBelow,
} from "../../../src/main/readable-files/readable-files.js";

const { maxFileBytes, maxTotalBytes, maxFiles } = readableFileLimits;

/** `base/root` may be read; `base/secret.txt` must not be. */
function makeFolders(t: Test) {
  const base = t.testdir({
    "secret.txt": "the secret",
    root: { "skill.md": "# Skill\nß€😀", deep: { er: { "file.txt": "deep" } }, "empty.txt": "" },
    rooted: { "other.txt": "another folder whose name begins alike" },
  });
  return { base, root: join(base, "root") };
}

async function problemOf(reading: Promise<unknown>): Promise<string> {
  const error: unknown = await reading.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ReadableFileError) return error.message;
  throw new Error(`not a ReadableFileError: ${String(error)}`);
}

t.test("a text below a root is read, by any name that leads to it", async (t) => {
  const { base, root } = makeFolders(t);
  symlinkSync(join(root, "deep"), join(root, "link"));
  symlinkSync(root, join(base, "alias"));
  const skill = await readFileBelow([root], join(root, "skill.md"));
  t.strictSame(skill, { path: join(root, "skill.md"), text: "# Skill\nß€😀", bytes: 17 });
  for (const path of ["link/er/file.txt", "deep/../deep/er/file.txt", "./deep//er/file.txt"])
    t.equal((await readFileBelow([root], `${root}/${path}`)).text, "deep", path);
  t.equal((await readFileBelow([root], join(base, "alias/deep/er/file.txt"))).text, "deep", "a link into it");
  t.equal(
    (await readFileBelow([join(base, "alias")], join(root, "empty.txt"))).text,
    "",
    "a root that is a link",
  );
  const other = join(base, "rooted");
  t.equal((await readFileBelow([join(base, "no-such"), other], join(other, "other.txt"))).bytes, 38);
});

t.test("no path leads out of the roots", async (t) => {
  const { base, root } = makeFolders(t);
  const secret = join(base, "secret.txt");
  symlinkSync(secret, join(root, "link.txt"));
  symlinkSync("../secret.txt", join(root, "relative.txt"));
  symlinkSync(base, join(root, "up"));
  symlinkSync("link.txt", join(root, "chain.txt"));
  symlinkSync("/proc/self", join(root, "proc"));
  const outside = /" does not exist below a folder from which files may be read\.$/;
  for (const path of [
    secret,
    `${root}/../secret.txt`,
    `${root}/deep/../../secret.txt`,
    `${root}/link.txt`,
    `${root}/relative.txt`,
    `${root}/chain.txt`,
    `${root}/up/secret.txt`,
    `${root}/up/rooted/other.txt`,
    join(base, "rooted", "other.txt"),
    `${root}/proc/environ`,
    `${root}/proc/cwd/package.json`,
    "/proc/self/environ",
    "/proc/self/root/etc/passwd",
    "/dev/zero",
    "/etc/passwd",
    "/no/such/file",
    root,
    base,
    "/",
  ])
    t.match(await problemOf(readFileBelow([root], path)), outside, path);
  t.match(await problemOf(readFileBelow([], join(root, "skill.md"))), outside, "without roots there is none");
  t.match(await problemOf(readFileBelow([root], join(root, "none.txt"))), /none\.txt" does not exist\.$/);
  for (const path of [
    "",
    "root/skill.md",
    `${root}/skill.md\0.txt`,
    "~/x",
    "file:///etc/passwd",
    `/${"x".repeat(5_000)}`,
  ])
    t.match(await problemOf(readFileBelow([root], path)), /is not an absolute path/);
  t.match(await problemOf(readFileBelow([root], `${root}/a\nb`)), /a\\nb" does not exist\.$/, "one line");
  symlinkSync(join(root, "loop-2"), join(root, "loop-1"));
  symlinkSync(join(root, "loop-1"), join(root, "loop-2"));
  t.match(await problemOf(readFileBelow([root], join(root, "loop-1"))), /does not exist/);
});

t.test("what exists outside of the roots does not show in a problem, nor in what is read", async (t) => {
  const { base, root } = makeFolders(t);
  mkdirSync(join(base, "there"));
  symlinkSync(base, join(root, "up"));
  symlinkSync(join(base, "secret.txt"), join(root, "to-there"));
  symlinkSync(join(base, "none.txt"), join(root, "to-none"));
  symlinkSync("up/none/../root/skill.md", join(root, "by-none"));
  const told = async (path: string): Promise<readonly string[]> => {
    const reading = await readFileBelow([root], path).catch((error: unknown) => error);
    if (!(reading instanceof ReadableFileError)) return [JSON.stringify(reading).replaceAll(path, "PATH")];
    return [reading.message.replace(JSON.stringify(path), "PATH"), String(reading.cause)];
  };
  const outside = [
    ["secret.txt", "none.txt"],
    ["there", "none"],
    ["there/x", "none/x"],
    ["secret.txt/x", "none.txt/x"],
    ["there/../secret.txt", "none/../secret.txt"],
  ];
  for (const way of [`${root}/up`, `${root}/deep/../up`, `${root}/..`, `${root}/up/root/up`, base])
    for (const [there, none] of outside)
      t.strictSame(await told(`${way}/${there}`), await told(`${way}/${none}`), `${way}/${there}`);
  t.strictSame(await told(`${root}/to-there`), await told(`${root}/to-none`));
  t.strictSame(await told(`${root}/by-none`), await told(`${root}/to-none`));
  // The folder that a path passes and leaves again is not asked for.
  for (const way of [`${base}/%/../root/skill.md`, `${root}/up/%/../../skill.md`])
    t.match(
      [await told(way.replace("%", "there")), await told(way.replace("%", "none"))],
      [[/# Skill/], [/# Skill/]],
      way,
    );
  t.match(await problemOf(readFileBelow([root], `${root}/up/../none.txt`)), /does not exist\.$/);
  t.match(await problemOf(readFileBelow([root], `${root}/up/root/deep/none/x`)), /does not exist\.$/);
  t.match(await problemOf(readFileBelow([root], `${root}/${"x".repeat(300)}`)), /does not exist\.$/);
});

t.test("a login is not read, by whatever name", async (t) => {
  const root = t.testdir({ codex: { "auth.json": "{}", "AUTH.JSON": "{}", "auth.json.md": "fine" } });
  symlinkSync(join(root, "codex", "auth.json"), join(root, "codex", "skill.md"));
  for (const name of ["auth.json", "AUTH.JSON", "skill.md"]) {
    t.match(await problemOf(readFileBelow([root], join(root, "codex", name))), /is a login/, name);
  }
  t.equal((await readFileBelow([root], join(root, "codex", "auth.json.md"))).text, "fine");
});

t.test("only regular files: no folder, FIFO or device, and no wait for them", async (t) => {
  const { root } = makeFolders(t);
  execFileSync("mkfifo", [join(root, "fifo")]);
  symlinkSync("fifo", join(root, "fifo-link"));
  for (const name of ["deep", "fifo", "fifo-link"])
    t.match(await problemOf(readFileBelow([root], join(root, name))), /is not a regular file/, name);
  for (const kernel of ["/proc/self/environ", "/sys/kernel", "/dev/null", "/dev/stdin"])
    t.match(
      await problemOf(readFileBelow(["/proc", "/sys", "/dev", "/"], kernel)),
      /does not exist below/,
      kernel,
    );
});

t.test("what is no text is not read", async (t) => {
  const { root } = makeFolders(t);
  writeFileSync(join(root, "nul"), "a\0b");
  writeFileSync(join(root, "bytes"), Buffer.from([0x41, 0xff, 0x42]));
  writeFileSync(join(root, "cut"), Buffer.from("€").subarray(0, 2));
  for (const name of ["nul", "bytes", "cut"])
    t.match(await problemOf(readFileBelow([root], join(root, name))), /is not a text in UTF-8/, name);
  if (process.getuid?.() !== 0) {
    writeFileSync(join(root, "closed"), "x");
    chmodSync(join(root, "closed"), 0);
    t.match(await problemOf(readFileBelow([root], join(root, "closed"))), /cannot be opened/);
  }
});

t.test("each file and all together have a bound, also where the size lies", async (t) => {
  const { root } = makeFolders(t);
  const path = (name: string | number) => join(root, String(name));
  writeFileSync(path("full"), "x".repeat(maxFileBytes));
  t.equal((await readFileBelow([root], path("full"))).bytes, maxFileBytes);
  writeFileSync(path("over"), "x".repeat(maxFileBytes + 1));
  t.match(await problemOf(readFileBelow([root], path("over"))), /over" is longer than 262144 bytes/);
  writeFileSync(path("sparse"), "");
  truncateSync(path("sparse"), 2 ** 40);
  t.match(await problemOf(readFileBelow([root], path("sparse"))), /is longer than/);

  const four = [1, 2, 3, 4].map(path);
  for (const name of four) writeFileSync(name, "x".repeat(maxFileBytes));
  t.equal(
    (await readFilesBelow([root], four)).reduce((sum, { bytes }) => sum + bytes, 0),
    maxTotalBytes,
  );
  t.match(
    await problemOf(readFilesBelow([root], [...four, path("skill.md")])),
    /skill\.md" does not fit: .* 1048576 bytes together/,
  );
  t.equal((await readFilesBelow([root], [...four, path("empty.txt")])).length, 5);
  t.match(await problemOf(readFilesBelow([root], Array(maxFiles + 1).fill(path("empty.txt")))), /too many/);
});

t.test("a swap between the check and the read never shows a file from outside", async (t) => {
  const { base, root } = makeFolders(t);
  // `root/deep` and a link to `base/outside` take turns under one name, as fast as they can.
  mkdirSync(join(base, "outside", "er"), { recursive: true });
  writeFileSync(join(base, "outside", "er", "file.txt"), "the secret");
  symlinkSync(join(base, "outside"), join(base, "trap"));
  const place = join(root, "deep");
  let isOver = false;
  const attack = (async () => {
    while (!isOver) {
      renameSync(place, join(root, "aside"));
      renameSync(join(base, "trap"), place);
      await new Promise((resolve) => setImmediate(resolve));
      renameSync(place, join(base, "trap"));
      renameSync(join(root, "aside"), place);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const texts = new Set<string>();
  for (let round = 0; round < 400; round += 1) {
    const reading = readFileBelow([root], join(place, "er", "file.txt"));
    texts.add(await reading.then(({ text }) => text).catch(() => "refused"));
  }
  isOver = true;
  await attack;
  t.notOk(texts.has("the secret"), [...texts].join());
});

t.test("a hard link is a file of the folder's own", async (t) => {
  const { root } = makeFolders(t);
  linkSync(join(root, "skill.md"), join(root, "hard.md"));
  t.match((await readFileBelow([root], join(root, "hard.md"))).text, /^# Skill/);
});

t.test("a root is a folder, not everything", async (t) => {
  for (const root of ["", "relative", "/", "//", "/..", "/proc", "/proc/self", "/dev/shm", "/a\0b", 7, null])
    t.type(findRootFault(root), "string", String(root));
  t.equal(findRootFault("/home/ada/skills"), null);
});

t.test("a root of no use is found, and why", async (t) => {
  const { base, root } = makeFolders(t);
  symlinkSync("/", join(base, "whole"));
  t.strictSame(await findUselessRoots([root]), []);
  t.match(await findUselessRoots([join(base, "none"), root, join(base, "secret.txt"), join(base, "whole")]), [
    /none" does not exist, or cannot be reached\.$/,
    /secret\.txt" is not a folder\.$/,
    /whole" leads to "\/"\. It must not be the whole file system\.$/,
  ]);
});
