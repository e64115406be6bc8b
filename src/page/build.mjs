/** Builds the page into the folder that is named: one script and one style sheet, whose names change with their contents. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: node src/page/build.mjs FOLDER");

await rm(folder, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { page: "src/page/page.tsx" },
  outdir: folder,
  entryNames: "[name].[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome123", "firefox121", "safari17.5"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

let html = await readFile("src/page/index.html", "utf8");
for (const path of Object.keys(metafile.outputs)) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  html = html.replace(`/page/page${name.slice(name.lastIndexOf("."))}`, `/page/${name}`);
}
await mkdir(folder, { recursive: true });
await writeFile(join(folder, "index.html"), html);

/** What came with the licence of each package whose code is in the script. */
const packages = new Set(
  Object.keys(metafile.inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []),
);
const notices = await Promise.all([...packages].sort().map(readNotice));
await writeFile(join(folder, "third-party.txt"), notices.join("\n"));

async function readNotice(name) {
  const { version } = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8"));
  const licence = await readFile(`node_modules/${name}/LICENSE`, "utf8");
  return `${name} ${version}\n\n${licence.trim()}\n`;
}
