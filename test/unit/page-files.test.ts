import { join } from "node:path";
import { pathToFileURL } from "node:url";
import t, { type Test } from "tap";
import { readBuiltPage } from "../../src/main/page-files.js";

function makeDirectory(t: Test, files: Readonly<Record<string, string>>): URL {
  return pathToFileURL(`${t.testdir(files)}/`);
}

t.test("the page and what it loads are read, each with its type", async (t) => {
  const directory = makeDirectory(t, {
    "index.html": "<!doctype html>",
    "page.0A1B2C3D.js": "let a;",
    "page.0A1B2C3D.css": "a {}",
  });
  const page = await readBuiltPage([directory]);
  t.equal(page?.index.bytes.toString(), "<!doctype html>");
  t.match(page?.index, { contentType: "text/html; charset=utf-8" });
  const assets = [...(page?.assets ?? [])].map(([name, { contentType, bytes }]) => [
    name,
    contentType,
    bytes.toString(),
  ]);
  t.strictSame(assets.sort(), [
    ["page.0A1B2C3D.css", "text/css; charset=utf-8", "a {}"],
    ["page.0A1B2C3D.js", "text/javascript; charset=utf-8", "let a;"],
  ]);
});

t.test("only scripts and styles with a hash in their names are served", async (t) => {
  const page = await readBuiltPage([
    makeDirectory(t, {
      "index.html": "",
      "page.js": "",
      "page.0A1B2C3D.js.map": "",
      "page.0A1B2C3D.html": "",
      ".hidden.0A1B2C3D.js": "",
      "notes.txt": "",
    }),
  ]);
  t.strictSame([...(page?.assets.keys() ?? [])], []);
});

t.test("a folder with such a name is left out", async (t) => {
  const root = t.testdir({ "index.html": "", "page.0A1B2C3D.js": { inner: "" } });
  const page = await readBuiltPage([pathToFileURL(`${root}/`)]);
  t.equal(page?.assets.size, 0);
});

t.test("the first place that has a page is taken, and without any there is none", async (t) => {
  const root = t.testdir({ empty: {}, page: { "index.html": "here" } });
  const [missing, empty, full] = ["missing", "empty", "page"].map((name) =>
    pathToFileURL(`${join(root, name)}/`),
  );
  t.not(missing, undefined);
  if (missing === undefined || empty === undefined || full === undefined) return;
  t.equal((await readBuiltPage([missing, empty, full]))?.index.bytes.toString(), "here");
  t.equal(await readBuiltPage([missing, empty]), null);
});
