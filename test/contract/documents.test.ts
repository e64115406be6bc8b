import { readdirSync, readFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { Registry } from "prom-client";
import t from "tap";
import { errorKinds } from "../../src/main/errors.js";
import { buildOpenApiDocument } from "../../src/main/http/openapi/document.js";
import { createSideTaskMetrics } from "../../src/main/observability/side-task-metrics.js";
import { findBrokenLinks, listMarkdownFiles } from "../support/markdown-links.js";
import { routes } from "../support/registered-routes.js";
import { renderErrorsPage } from "../support/upstream-document.js";

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

t.test("the table of what the upstream says is up to date (npm run generate)", async (t) => {
  t.equal(errorPage, renderErrorsPage(errorPage));
});

const pages = listMarkdownFiles();

t.test("links between the documents lead to files and headings that are there", async (t) => {
  t.ok(
    pages.includes("README.md") && pages.includes("docs/errors.md") && pages.includes("examples/README.md"),
  );
  t.strictSame(findBrokenLinks(pages), []);
});

t.test("what tools write and git ignores is no document", async (t) => {
  const root = t.testdir({
    ".gitignore": "node_modules\nbuild/\n*.tmp.md\nbench/results/2*\n/notes.md\n",
    "README.md": "",
    "notes.md": "",
    build: { "a.md": "" },
    docs: { "notes.md": "", "page.md": "", "page.tmp.md": "" },
    examples: { node_modules: { other: { "README.md": "" } } },
    bench: { results: { "2026-08-08.md": "", "v0.1.0.md": "" } },
  });
  t.strictSame([...listMarkdownFiles(root)].sort(), [
    "README.md",
    "bench/results/v0.1.0.md",
    "docs/notes.md",
    "docs/page.md",
  ]);
});

t.test("every page is linked from another", async (t) => {
  const all = pages.map((page) => ({ page, text: readFileSync(page, "utf8") }));
  const lonely = pages.filter(
    (page) =>
      page !== "README.md" &&
      !all.some(({ page: other, text }) => other !== page && text.includes(relativeLink(other, page))),
  );
  t.strictSame(lonely, []);
});

function relativeLink(from: string, to: string): string {
  return `(${relative(dirname(from), to)}`;
}

t.test("every route is in docs/http-api.md, and every route there is one", async (t) => {
  const page = readFileSync("docs/http-api.md", "utf8");
  const documented = new Set(
    [...page.matchAll(/`((?:GET|POST|DELETE)(?:\|(?:GET|POST|DELETE))*) (\/[^`?]*)`/g)].flatMap(
      ([, methods = "", path = ""]) => methods.split("|").map((method) => `${method} ${path}`),
    ),
  );
  const { paths } = buildOpenApiDocument({ version: "0", serverUrl: "/", routes });
  const served = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replace(/\{[a-z_]+\}/, "{id}")}`),
  );
  t.strictSame([...documented].sort(), served.sort());
});

t.test("every metric of ours that a document names is there", async (t) => {
  const metrics = readFileSync("docs/operations.md", "utf8");
  // Those of the side-task router are on the host's registry, not the service's.
  const sideTasks = new Registry();
  createSideTaskMetrics(sideTasks);
  const known = new Set([
    ...[...metrics.matchAll(/^\| `(codex_native_api_[a-z_]+)`/gm)].map(([, name]) => name),
    ...sideTasks.getMetricsAsArray().map(({ name }) => name),
  ]);
  t.ok(known.size > 10);
  for (const page of pages) {
    const text = readFileSync(page, "utf8");
    for (const [name] of text.matchAll(/\bcodex_native_api_[a-z_]+\b/g)) {
      const base = name.replace(/_(bucket|sum|count)$/, "");
      t.ok(known.has(name) || known.has(base), `${page}: ${name}`);
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
