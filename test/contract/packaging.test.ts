/** The files of packaging/: the system-wide unit, the image and the compose file, held to the options and commands that there are. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { commands } from "../../src/main/cli/commands.js";
import { stopBudgetMs } from "../../src/main/cli/serve.js";
import { createConfig } from "../../src/main/config/load-config.js";
import { allOptions, options } from "../../src/main/config/options.js";
import { newestTestedCodex } from "../../src/workers/contract/codex-capabilities.js";
import { listInstructions } from "../support/dockerfile.js";

const run = promisify(execFile);
const read = (name: string) => readFile(join("packaging", name), "utf8");

const unit = await read("codex-native-api.service");
const dockerfile = listInstructions(await read("Dockerfile"));
const compose = await read("compose.yaml");
const operations = await readFile("docs/operations.md", "utf8");

/** Of systemd itself, of Codex, and of the platform's convention for the config file. */
const otherVariables = ["CODEX_HOME", "XDG_CONFIG_HOME", "CODEX_VERSION"];
const variables = new Set([...allOptions.flatMap(({ env }) => env ?? []), ...otherVariables]);

const valuesOf = (instruction: string) =>
  dockerfile.filter(({ name }) => name === instruction).map(({ value }) => value);

t.test("every variable is one that the service or Codex reads", async (t) => {
  for (const [file, text] of [
    ["the unit", unit],
    ["Dockerfile", dockerfile.map(({ value }) => value).join("\n")],
    ["compose.yaml", compose],
  ] as const) {
    const named = [...text.matchAll(/\b(?:CODEX|XDG)_[A-Z_]+\b/g)].map(([name]) => name);
    t.ok(named.length > 0, file);
    t.strictSame(
      named.filter((name) => !variables.has(name)),
      [],
      file,
    );
  }
});

t.test("every command and flag of ours in them, and beside them in operations.md, exists", async (t) => {
  const part = operations.slice(operations.indexOf("### For a whole machine"));
  const page = part.slice(0, part.indexOf("\n## "));
  const lists = [compose, ...valuesOf("CMD")].join("\n").matchAll(/\["serve".*\]/g);
  const calls = [
    ...`${unit}\n${page}`
      .replaceAll("\\\n", "")
      .matchAll(/\bcodex-native-api ([a-z]\w*)((?: --[a-z-]+(?:[ =][^-\s]\S*)?)*)/g),
  ].map(([, name = "", rest = ""]) => [name, ...rest.split(/[ =]/)]);
  for (const [list] of lists) calls.push(JSON.parse(list));
  t.ok(calls.length >= 6, JSON.stringify(calls));
  const flags = new Set(allOptions.flatMap(({ flag }) => (flag === null ? [] : `--${flag}`)));
  for (const [name = "", ...rest] of calls) {
    t.ok(
      commands.some((command) => command.name === name),
      name,
    );
    for (const word of rest) if (word.startsWith("--")) t.ok(flags.has(word), word);
  }
});

t.test("the unit gives a stop the time that it may take", async (t) => {
  const created = createConfig();
  if (!created.ok) throw new Error("the defaults have faults");
  const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? [];
  t.ok(Number(seconds) * 1000 > stopBudgetMs(created.config));
});

const analyzer = await run("systemd-analyze", ["--version"]).then(
  ({ stdout }) => Number(/^systemd (\d+)/.exec(stdout)?.[1]),
  () => 0,
);
/** `--offline` is in 250 and later, as is the `%d` of the unit. */
const needsAnalyzer = analyzer >= 250 ? {} : { skip: "systemd-analyze 250 or later is not installed" };

t.test("systemd finds no fault in the unit, and rates its exposure below 3", needsAnalyzer, async (t) => {
  // The program that it starts is not installed here.
  const directory = t.testdir({
    "codex-native-api.service": unit.replace(
      /^ExecStart=codex-native-api /m,
      `ExecStart=${process.execPath} `,
    ),
  });
  const file = join(directory, "codex-native-api.service");
  const verified = await run("systemd-analyze", ["verify", "--man=no", file]).catch(
    (error: unknown) => error,
  );
  t.match(verified, { stdout: "", stderr: "" });
  const rated = await run("systemd-analyze", [
    "security",
    "--offline=yes",
    "--threshold=30",
    "--no-pager",
    file,
  ]);
  const [, exposure = "10"] = /Overall exposure level for .*: (\d+\.\d+)/.exec(rated.stdout) ?? [];
  t.ok(Number(exposure) < 3, exposure);
  t.ok(operations.includes(`rates its exposure ${exposure} of 10`), "as operations.md says");
});

t.test("the image runs without root, keeps its state in a volume, and knows the tested Codex", async (t) => {
  const order = dockerfile.map(({ name }) => name);
  t.strictSame(valuesOf("USER"), ["node"]);
  t.ok(order.indexOf("USER") > order.lastIndexOf("RUN"), "root installs, and nothing else");
  const [volume = ""] = valuesOf("VOLUME");
  const environment = valuesOf("ENV").join(" ");
  for (const name of ["CODEX_HOME", String(options.codex.stateDir.env)])
    t.ok(environment.includes(`${name}=${volume}/`), name);
  t.strictSame(valuesOf("ARG"), [`CODEX_VERSION=${newestTestedCodex}`]);
  t.strictSame(valuesOf("EXPOSE"), [String(options.listen.port.default)]);
  t.strictSame(valuesOf("CMD"), ['["serve"]'], "on loopback: an open address is the user's to ask for");
  t.match(valuesOf("FROM"), [/^node:\d+-slim$/]);
});

t.test("each instruction is one of Docker's, and those that start programs need no shell", async (t) => {
  const known = new Set(
    "FROM RUN CMD LABEL EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ARG STOPSIGNAL HEALTHCHECK SHELL".split(
      " ",
    ),
  );
  for (const { name, value } of dockerfile) t.ok(known.has(name), `${name} ${value}`);
  for (const name of ["CMD", "ENTRYPOINT"]) t.doesNotThrow(() => JSON.parse(valuesOf(name)[0] ?? ""), name);
  const [check = ""] = valuesOf("HEALTHCHECK");
  t.ok(Array.isArray(JSON.parse(check.slice(check.indexOf("CMD ") + 4))));
  const ignored = (await read("Dockerfile.dockerignore")).split("\n").filter((line) => /^[^#]/.test(line));
  const [copied = ""] = valuesOf("COPY");
  t.strictSame(
    ignored,
    ["*", `!${copied.split(" ")[0]}`],
    "the context holds what is copied, and nothing else",
  );
});

t.test("the compose file opens no port beyond this machine, and no address without a token", async (t) => {
  const ports = [...compose.matchAll(/^\s+- "(\S+:\d+)"$/gm)].map(([, port]) => port);
  t.strictSame(ports, ["127.0.0.1:43182:43182"]);
  t.match(compose, /^ {6}CODEX_NATIVE_API_AUTH_TOKEN: \$\{CODEX_NATIVE_API_AUTH_TOKEN:\?/m);
  t.match(compose, /^ {4}command: \["serve", "--host", "0\.0\.0\.0"\]$/m);
  const [volume] = valuesOf("VOLUME");
  t.ok(compose.includes(`- data:${volume}\n`), "the image's volume");
});
