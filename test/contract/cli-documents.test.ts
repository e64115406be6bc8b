import { readFileSync } from "node:fs";
import t from "tap";
import { commands } from "../../src/main/cli/commands.js";
import { exitCodes, exitMeanings, exitNames } from "../../src/main/cli/exit-codes.js";
import { renderCommandHelp, renderOverview } from "../../src/main/cli/help.js";
import { allOptions } from "../../src/main/config/options.js";
import { newestTestedCodex, testedCodexVersions } from "../../src/workers/contract/codex-capabilities.js";
import { cliPagePath, renderCliPage } from "../support/cli-documents.js";

const page = readFileSync(cliPagePath, "utf8");

t.test("docs/cli.md is up to date (npm run generate)", async (t) => {
  t.equal(page, renderCliPage(page));
});

t.test("every command and flag is in the help and in docs/cli.md", async (t) => {
  for (const command of commands) {
    t.match(renderOverview(commands), new RegExp(`^  ${command.name} `, "m"));
    t.match(page, new RegExp(`^## ${command.name}$`, "m"));
    const help = renderCommandHelp(command);
    for (const { name, description } of command.flags) {
      t.ok(help.includes(`--${name}`), `${command.name} --${name}`);
      t.ok(page.includes(`\`--${name}`), `${command.name} --${name}`);
      t.ok(page.includes(description.replaceAll("|", "\\|")), description);
    }
    for (const { name } of command.operands?.choices ?? []) t.ok(help.includes(`  ${name} `), name);
  }
});

t.test("exit codes are in the overview and in docs/cli.md, and stay what scripts rely on", async (t) => {
  t.strictSame(exitCodes, { done: 0, failed: 1, configuration: 2, notReady: 3, interrupted: 130 });
  t.strictSame([...exitNames].sort(), Object.keys(exitCodes).sort());
  for (const name of exitNames) t.ok(page.includes(`| ${exitCodes[name]} | ${exitMeanings[name]} |`), name);
});

t.test("the commands and flags that people rely on do not change unnoticed", async (t) => {
  const surface = commands.map(({ name, flags, operands }) => [
    name,
    ...(operands?.choices?.map((choice) => choice.name) ?? []),
    ...flags.map((flag) => `--${flag.name}`),
  ]);
  t.strictSame(surface, [
    ["serve"],
    ["demo", "--once"],
    ["doctor", "--turn", "--json"],
    ["login"],
    ["ask", "--model", "--instructions", "--effort", "--json-schema", "--quiet"],
    [
      "decide",
      "--choice",
      "--predicate",
      "--score",
      "--question",
      "--name",
      "--model",
      "--effort",
      "--json",
      "--quiet",
    ],
    ["health", "--json", "--timeout-ms"],
    ["models", "--json"],
    ["open", "--print"],
    ["service", "install", "uninstall", "status", "logs", "--dry-run", "--lines", "--follow"],
    ["config", "--json"],
    ["completion", "bash", "zsh", "fish"],
    ["help"],
  ]);
});

t.test("no flag of a command's bears the name of an option", async (t) => {
  const taken = new Set(allOptions.map(({ flag }) => flag));
  const clashes = commands.flatMap(({ flags }) => flags.filter(({ name }) => taken.has(name)));
  t.strictSame(clashes, []);
});

t.test("the newest tested Codex is the one that the tests are on", async (t) => {
  const manifest: unknown = JSON.parse(readFileSync("package.json", "utf8"));
  t.match(manifest, { devDependencies: { "@openai/codex": `^${newestTestedCodex}` } });
});

t.test("README and the page about upgrades name each tested Codex", async (t) => {
  const [newest = "", ...older] = testedCodexVersions.map((version) => version.replace(/\.0$/, "")).reverse();
  t.equal(newest, newestTestedCodex.replace(/\.0$/, ""));
  const readme = readFileSync("README.md", "utf8");
  const lists = new Intl.ListFormat("en-GB");
  t.match(
    readme.replaceAll("\n", " "),
    `with Codex ${newest}; \`npm run test:versions\` runs the end-to-end tests on ${lists.format(older)} too`,
  );
  const page = readFileSync("docs/upgrading-codex.md", "utf8");
  const rows = [`| ${newest} | every test,`, `| ${older.join(", ")} | `, `| newer than ${newest} | `];
  for (const row of rows) t.ok(page.includes(row), row);
});
