import { existsSync, readdirSync, readFileSync } from "node:fs";
import t from "tap";

const page = readFileSync("SECURITY.md", "utf8");
const named = [...page.matchAll(/`(test\/[\w/.-]+)`/g)].flatMap(([, path]) => path ?? []);

t.test("each test that SECURITY.md names is there", async (t) => {
  t.ok(named.length > 0);
  for (const path of new Set(named)) t.ok(existsSync(path), path);
});

t.test("each test of an attack is named in SECURITY.md", async (t) => {
  for (const name of readdirSync("test/security").filter((file) => file.endsWith(".test.ts"))) {
    t.ok(named.includes(`test/security/${name}`), name);
  }
});

t.test("each line of its tables says what shows it", async (t) => {
  const [, threats = ""] = page.split("## What each can and cannot do");
  const rows = (threats.split("\n## ")[0] ?? "")
    .split("\n")
    .filter((line) => /^\| (?!it can |---)/.test(line) || line.startsWith("| |"));
  t.ok(rows.length > 15);
  for (const row of rows) t.match(row.split("|").at(-2), /`test\//, row.slice(0, 60));
});
