import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { keepLogDatabaseSmall } from "../../../../src/main/codex/home/log-database.js";
import { makeDirectory } from "../fixtures.js";

async function makeHome(t: Parameters<typeof makeDirectory>[0]): Promise<string> {
  const codexHome = await makeDirectory(t);
  for (const name of [
    "logs_2.sqlite",
    "logs_2.sqlite-wal",
    "logs_2.sqlite-shm",
    "logs_1.sqlite",
    "state_5.sqlite",
  ])
    await writeFile(join(codexHome, name), "x");
  return codexHome;
}

t.test("a version that runs without the log database gets none", async (t) => {
  const codexHome = await makeHome(t);
  const options = { codexHome, codexVersion: "0.169.0", previousFailure: null };
  t.equal(await keepLogDatabaseSmall(options), "blocked");
  t.equal(await keepLogDatabaseSmall(options), "blocked");
  t.same((await readdir(codexHome)).sort(), ["logs_2.sqlite", "state_5.sqlite"]);
  t.ok((await stat(join(codexHome, "logs_2.sqlite"))).isDirectory());
});

t.test("an older version starts with an empty log database", async (t) => {
  const codexHome = await makeHome(t);
  const options = { codexHome, codexVersion: "0.150.0", previousFailure: null };
  t.equal(await keepLogDatabaseSmall(options), "emptied");
  t.same(await readdir(codexHome), ["state_5.sqlite"]);
});

t.test("a version that refuses to start without a log database gets it back", async (t) => {
  const codexHome = await makeHome(t);
  const options = { codexHome, codexVersion: "0.190.0", previousFailure: null };
  await keepLogDatabaseSmall(options);
  const previousFailure = "Error: failed to initialize sqlite state runtime under /home";
  t.equal(await keepLogDatabaseSmall({ ...options, previousFailure }), "emptied");
  t.same(await readdir(codexHome), ["state_5.sqlite"]);
});

t.test("a failure for another reason changes nothing", async (t) => {
  const codexHome = await makeHome(t);
  const previousFailure = "Error: address in use";
  t.equal(await keepLogDatabaseSmall({ codexHome, codexVersion: "1.0.0", previousFailure }), "blocked");
});
