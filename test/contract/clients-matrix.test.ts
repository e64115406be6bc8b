/** docs/clients.md shows what `npm run test:clients` runs: the same programs, versions and capabilities. */
import { readFile } from "node:fs/promises";
import t from "tap";
import { capabilities } from "../clients/capabilities.js";
import { clients } from "../clients/clients.js";

t.test("the matrix has a row for each client, and a column for each capability", async (t) => {
  const page = await readFile("docs/clients.md", "utf8");
  const section = page.split("## What was run")[1]?.split("\n## ")[0] ?? "";
  const rows = section
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  t.strictSame(rows[0]?.slice(2, -1), capabilities);
  t.strictSame(
    rows.slice(1).map(([, name]) => name),
    clients.map(({ name }) => name),
  );
  const cells = rows.slice(1).flatMap((row) => row.slice(2, -1));
  t.strictSame(new Set(cells), new Set(["ok", "–"]));
});
