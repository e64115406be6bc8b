/** docs/side-tasks.md against the code: table, settings, classes and codes. */
import { readFileSync } from "node:fs";
import t from "tap";
import { errorKinds } from "../../src/main/errors.js";
import { externalReasons } from "../../src/main/side-tasks/external-reasons.js";
import { failureOfCode, fallThroughTable } from "../../src/main/side-tasks/fall-through.js";
import { defaultSideTaskLimits } from "../../src/main/side-tasks/limits.js";
import { sideTaskVariables } from "../../src/main/side-tasks/settings.js";
import { sideTaskErrorKinds } from "../../src/main/side-tasks/side-task-error.js";
import { defaultTaskClasses } from "../../src/main/side-tasks/task-classes.js";

const page = readFileSync("docs/side-tasks.md", "utf8");

/** The reasons to send a task away have the same names. */
const fallThroughPart = page.slice(page.indexOf("## When the next route is tried"));

function rowOf(name: string, part: string = page): string {
  return part.split("\n").find((line) => line.startsWith(`| \`${name}\` |`)) ?? `no row of ${name}`;
}

t.test("the page has the fall-through table as it is", async (t) => {
  for (const [name, { next, circuit, why }] of Object.entries(fallThroughTable)) {
    const codes = Object.entries(failureOfCode).filter(([, failure]) => failure === name);
    const cell = codes.map(([code]) => `\`${code}\``).join(", ");
    t.equal(
      rowOf(name, fallThroughPart),
      `| \`${name}\` | ${cell} | ${next ? "yes" : "no"} | ${circuit} | ${why} |`,
    );
  }
});

t.test("the page has every reason to send a task away, with its default", async (t) => {
  for (const [name, { byDefault, why }] of Object.entries(externalReasons)) {
    const rows = page.split("\n").filter((line) => line.startsWith(`| \`${name}\` |`));
    t.ok(rows.includes(`| \`${name}\` | ${byDefault ? "sent" : "kept"} | ${why} |`), name);
  }
});

t.test("every code of the service has a row", async (t) => {
  t.strictSame(Object.keys(failureOfCode).sort(), Object.keys(errorKinds).sort());
});

t.test("the page has every variable, with its default", async (t) => {
  for (const { name, allowed, defaultText, meaning } of Object.values(sideTaskVariables)) {
    t.equal(rowOf(name), `| \`${name}\` | ${allowed} | ${defaultText} | ${meaning} |`);
  }
});

t.test("the page has every class and every limit", async (t) => {
  for (const [name, { effort, timeoutMs, verbosity, outputHint }] of Object.entries(defaultTaskClasses)) {
    const cells = [effort ?? "none", timeoutMs, verbosity ?? "none", outputHint ?? "none"].join(" | ");
    t.equal(rowOf(name), `| \`${name}\` | ${cells} |`);
  }
  for (const [name, value] of Object.entries(defaultSideTaskLimits)) {
    t.ok(rowOf(name).startsWith(`| \`${name}\` | ${value} |`), rowOf(name));
  }
});

t.test("the page has every error code", async (t) => {
  for (const [code, { retryable }] of Object.entries(sideTaskErrorKinds)) {
    const row = page
      .split("\n")
      .filter((line) => line.startsWith(`| \`${code}\` | ${retryable ? "yes" : "no"} |`));
    t.ok(row.length >= 1, `${code} ${retryable}`);
  }
});
