import {
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { repairAuthLink, rescueLogin } from "../../../../src/main/codex/home/auth-link.js";
import { makeDirectory, type WithTeardown } from "../fixtures.js";

interface Homes {
  readonly userCodexHome: string;
  readonly ownCodexHome: string;
  readonly link: string;
  readonly users: string;
}

async function makeHomes(t: WithTeardown): Promise<Homes> {
  const root = await makeDirectory(t);
  const homes = { userCodexHome: join(root, "user"), ownCodexHome: join(root, "own") };
  await mkdir(homes.userCodexHome);
  await mkdir(homes.ownCodexHome);
  return {
    ...homes,
    link: join(homes.ownCodexHome, "auth.json"),
    users: join(homes.userCodexHome, "auth.json"),
  };
}

async function writeLogin(path: string, content: string, at: Date): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, content, { mode: 0o600 });
  await utimes(path, at, at);
}

const earlier = new Date("2026-01-01T00:00:00Z");
const later = new Date("2026-01-02T00:00:00Z");

t.test("a missing link is created, also when the user is not logged in", async (t) => {
  const homes = await makeHomes(t);
  t.equal(await repairAuthLink(homes), "linked");
  t.equal(await readlink(homes.link), homes.users);
  t.equal(await repairAuthLink(homes), "intact");
});

t.test("a link to another file is replaced", async (t) => {
  const homes = await makeHomes(t);
  await symlink("/elsewhere/auth.json", homes.link);
  t.equal(await repairAuthLink(homes), "relinked");
  t.equal(await readlink(homes.link), homes.users);
});

t.test("a newer login made through the service becomes the user's", async (t) => {
  const homes = await makeHomes(t);
  await repairAuthLink(homes);
  await writeLogin(homes.users, "old", earlier);
  await writeLogin(homes.link, "new", later);
  t.equal(await repairAuthLink(homes), "moved_to_user");
  t.equal(await readFile(homes.users, "utf8"), "new");
  t.equal((await stat(homes.users)).mode & 0o777, 0o600);
  t.ok((await lstat(homes.link)).isSymbolicLink());
  t.same((await readdir(homes.ownCodexHome)).sort(), [".auth-target", "auth.json"]);
  t.same(await readdir(homes.userCodexHome), ["auth.json"]);
});

t.test("an older login in place of the link is deleted in favour of the user's", async (t) => {
  const homes = await makeHomes(t);
  await repairAuthLink(homes);
  await writeLogin(homes.users, "new", later);
  await writeLogin(homes.link, "old", earlier);
  t.equal(await repairAuthLink(homes), "discarded_older");
  t.equal(await readFile(homes.link, "utf8"), "new");
  t.ok((await lstat(homes.link)).isSymbolicLink());
});

t.test("a first login made through the service creates the user's, and their home if missing", async (t) => {
  const homes = await makeHomes(t);
  await repairAuthLink(homes);
  await rm(homes.userCodexHome, { recursive: true });
  await writeLogin(homes.link, "first", later);
  t.equal(await repairAuthLink(homes), "moved_to_user");
  t.equal(await readFile(homes.users, "utf8"), "first");
});

t.test("a user's auth.json that is itself a link stays one", async (t) => {
  const homes = await makeHomes(t);
  const synced = join(homes.userCodexHome, "synced.json");
  await writeLogin(synced, "old", earlier);
  await symlink("synced.json", homes.users);
  await repairAuthLink(homes);
  await writeLogin(homes.link, "new", later);
  t.equal(await repairAuthLink(homes), "moved_to_user");
  t.ok((await lstat(homes.users)).isSymbolicLink());
  t.equal(await readFile(synced, "utf8"), "new");
});

t.test("an interrupted move is finished", async (t) => {
  const homes = await makeHomes(t);
  await repairAuthLink(homes);
  await rm(homes.link);
  await writeLogin(join(homes.ownCodexHome, ".auth-moving.json"), "rescued", later);
  t.equal(await repairAuthLink(homes), "moved_to_user");
  t.equal(await readFile(homes.users, "utf8"), "rescued");
});

t.test("a login goes to the home that its link pointed to, not to the current one", async (t) => {
  const homes = await makeHomes(t);
  await repairAuthLink(homes);
  await writeLogin(homes.link, "theirs", later);
  const other = join(homes.userCodexHome, "..", "other");
  t.equal(await repairAuthLink({ ...homes, userCodexHome: other }), "moved_to_user");
  t.equal(await readFile(homes.users, "utf8"), "theirs");
  t.equal(await readlink(homes.link), join(other, "auth.json"));
});

t.test("a login in a released home is moved to the user's, and no link is left", async (t) => {
  const homes = await makeHomes(t);
  await repairAuthLink(homes);
  await writeLogin(homes.link, "new", later);
  t.equal(await rescueLogin(homes.ownCodexHome), "moved_to_user");
  t.equal(await readFile(homes.users, "utf8"), "new");
  t.equal(await rescueLogin(homes.ownCodexHome), null);
});

t.test("a login of an unknown user stays where it is", async (t) => {
  const homes = await makeHomes(t);
  await writeLogin(homes.link, "whose", later);
  t.equal(await rescueLogin(homes.ownCodexHome), null);
  t.equal(await readFile(homes.link, "utf8"), "whose");
});

t.test("two repairs at the same time lose nothing", async (t) => {
  const homes = await makeHomes(t);
  await repairAuthLink(homes);
  await writeLogin(homes.users, "old", earlier);
  await writeLogin(homes.link, "new", later);
  await Promise.allSettled([repairAuthLink(homes), repairAuthLink(homes)]);
  t.equal(await repairAuthLink(homes), "intact");
  t.equal(await readFile(homes.users, "utf8"), "new");
});
