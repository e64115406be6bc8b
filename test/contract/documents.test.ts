import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { errorKinds } from "../../src/main/errors.js";

const errorPage = readFileSync("docs/errors.md", "utf8");

/** Headings of the form `### \`code\``. */
function documentedCodes(page: string): readonly string[] {
  return [...page.matchAll(/^### `([a-z_]+)`$/gm)].flatMap(([, code]) => code ?? []);
}

/** The text under a code's heading. */
function sectionOf(code: string): string {
  return errorPage.split(`### \`${code}\`\n`)[1]?.split(/^##/m)[0] ?? "";
}

t.test("every error code has a heading in docs/errors.md, and every heading is a code", async (t) => {
  t.strictSame([...documentedCodes(errorPage)].sort(), Object.keys(errorKinds).sort());
});

t.test("each error's page tells its status, its type and whether a retry helps", async (t) => {
  for (const [code, { status, type, retryable }] of Object.entries(errorKinds)) {
    const facts = `${status} · \`${type}\` · retry: ${retryable ? "yes" : "no"}`;
    t.ok(sectionOf(code).includes(facts), `${code}: ${facts}`);
  }
});

function markdownFiles(folder: string): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".md")).map((name) => join(folder, name));
}

const pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", ...markdownFiles("docs")];

t.test("links between the documents lead to files that are there", async (t) => {
  for (const page of pages) {
    const links = [...readFileSync(page, "utf8").matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)(#[^)]*)?\)/g)];
    for (const [, target = ""] of links) {
      const path = join(page, "..", target);
      t.doesNotThrow(() => readFileSync(path), `${page} links to ${target}`);
    }
  }
});

t.test("every decision record is listed in the index", async (t) => {
  const index = readFileSync("docs/decisions/README.md", "utf8");
  const records = readdirSync("docs/decisions").filter((name) => /^\d{4}-.+\.md$/.test(name));
  t.ok(records.length > 0);
  for (const name of records) t.ok(index.includes(`(${name})`), name);
});

t.test("no document names a folder of the machine it was written on", async (t) => {
  const machinePaths = /\/(root|work|tmp|home\/[a-z]+)\//;
  for (const page of pages) t.notMatch(readFileSync(page, "utf8"), machinePaths, page);
});
