/**
 * `npm run test:newcomer`: what a stranger does with the packed package on a machine that has only Node and npm, one step after the other,
 * with what each printed and how long it took. The dependencies come from npm; the Codex is this repository's, by path, being large. Exits
 * with 1 where a step failed, or where all of them took more than three minutes.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { networkVariables } from "../../src/main/outbound/outbound-route.js";
import { startOfflineBackend } from "../support/offline-backend/testing.js";
import { modules, packPackage } from "../support/packed-package.js";
import { StepProcess } from "./step-process.js";

const run = promisify(execFile);
const budgetMs = 3 * 60_000;

const say = (line: string) => void process.stdout.write(`${line}\n`);

class Newcomer {
  /** An empty project. */
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;

  constructor(root: string) {
    this.project = join(root, "project");
    this.env = {
      HOME: root,
      TMPDIR: join(root, "tmp"),
      PATH: [dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
    };
  }

  async run(command: string, ...argv: readonly string[]): Promise<string> {
    const options = { cwd: this.project, env: this.env, timeout: budgetMs };
    return (await run(command, argv, options)).stdout;
  }

  /** With the way that this machine has to npm's registry: its certificates and proxies, and the user's settings of npm. */
  async install(...packages: readonly string[]): Promise<string> {
    const argv = ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...packages];
    const userConfig = (await run("npm", ["config", "get", "userconfig"])).stdout.trim();
    const names = [...networkVariables.proxies, ...networkVariables.certificates];
    const network = names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    const env = { ...this.env, ...Object.fromEntries(network), NPM_CONFIG_USERCONFIG: userConfig };
    return (await run("npm", argv, { cwd: this.project, env, timeout: budgetMs })).stdout;
  }

  start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): StepProcess {
    return new StepProcess("npx", ["codex-native-api", ...argv], this.project, { ...this.env, ...env });
  }
}

async function expectWithoutCodex(newcomer: Newcomer): Promise<string> {
  const { code, stderr } = await newcomer.start(["demo"]).ended;
  if (code !== 2 || !stderr.includes("\n  npm install @openai/codex\n"))
    throw new Error(`${code}: ${stderr}`);
  return stderr.trim();
}

/** In place of the command that `demo` has just printed, which fetches some 100 MB. */
async function linkCodex(newcomer: Newcomer): Promise<string> {
  const scope = join(newcomer.project, "node_modules", "@openai");
  await mkdir(scope, { recursive: true });
  await symlink(join(modules, "@openai", "codex"), join(scope, "codex"));
  return "@openai/codex";
}

async function useDemo(newcomer: Newcomer): Promise<string> {
  const demo = newcomer.start(["demo"]);
  try {
    const [, page = ""] = await demo.untilPrinted(/The page, in a browser:\n\n {2}(http:\S+)\n/);
    const html = await newcomer.run(
      "curl",
      "--silent",
      "--show-error",
      "--fail",
      "-H",
      "accept: text/html",
      page,
    );
    if (!/<html/i.test(html)) throw new Error(`no page: ${html}`);
    const [shown, url = "", body = ""] = await demo.untilPrinted(
      /curl (\S+) -H 'content-type: application\/json' -d '(.*)'\n/,
    );
    const answer = await newcomer.run("curl", "-sS", url, "-H", "content-type: application/json", "-d", body);
    if (!answer.includes("Hello!")) throw new Error(answer);
    await writeFile(
      join(newcomer.project, "first.mjs"),
      `import OpenAI from "openai";
      const client = new OpenAI({ baseURL: "${page}v1", apiKey: "local" });
      const { output_text } = await client.responses.create({ input: "Is this mine?" });
      console.log(output_text);`,
    );
    const own = await newcomer.run(process.execPath, "first.mjs");
    if (!own.includes("Is this mine?")) throw new Error(own);
    return `${shown.trim()}\n${own.trim()}`;
  } finally {
    demo.interrupt();
    const { code, stderr } = await demo.ended;
    if (code !== 0) say(`the demo ended with ${code}: ${stderr}`);
  }
}

/** Up to the code, which a person enters in a browser; then as that person. */
async function logIn(newcomer: Newcomer): Promise<string> {
  const backend = await startOfflineBackend();
  const home = join(newcomer.env.HOME ?? "", "codex");
  try {
    await mkdir(home);
    await writeFile(join(home, "config.toml"), `chatgpt_base_url = "${backend.origin}/backend-api"\n`);
    const login = newcomer.start(["login"], { ...backend.environment(), CODEX_HOME: home });
    const [shown] = await login.untilPrinted(/^ {2}http:\S+\n {2}\S+$/m);
    const user = {
      email: "newcomer@example.test",
      accountId: "acct-new",
      planType: "plus",
      userId: "user-new",
    };
    backend.deviceLogins.approve(user);
    const { code, stdout, stderr } = await login.ended;
    if (code !== 0) throw new Error(`${code}: ${stderr}`);
    return `${shown.trim()}\n${stdout.trim().split("\n").at(-1)}`;
  } finally {
    await backend.close();
  }
}

async function main(): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), "newcomer-"));
  const teardowns: (() => unknown)[] = [];
  try {
    const newcomer = new Newcomer(root);
    for (const folder of [newcomer.project, join(root, "tmp")]) await mkdir(folder);
    const { tarball } = await packPackage({ teardown: (undo) => void teardowns.push(() => undo()) });
    const steps: readonly (readonly [name: string, step: () => Promise<string>])[] = [
      ["npm install codex-native-api-*.tgz openai", () => newcomer.install(tarball, "openai@6")],
      ["demo, without Codex", () => expectWithoutCodex(newcomer)],
      ["npm install @openai/codex (by path)", () => linkCodex(newcomer)],
      ["demo: page, curl, OpenAI's client, Ctrl-C", () => useDemo(newcomer)],
      ["login by device code", () => logIn(newcomer)],
    ];
    const startMs = performance.now();
    for (const [name, step] of steps) {
      const stepMs = performance.now();
      const printed = await step();
      say(`${((performance.now() - stepMs) / 1000).toFixed(1).padStart(6)} s  ${name}`);
      for (const line of printed.trim().split("\n")) say(`          | ${line}`);
    }
    const left = await readdir(join(root, "tmp"));
    if (left.some((name) => name.startsWith("codex-native-api-demo")))
      throw new Error(`left behind: ${left}`);
    const totalMs = performance.now() - startMs;
    say(`${(totalMs / 1000).toFixed(1).padStart(6)} s  in all, of ${budgetMs / 1000}`);
    return totalMs <= budgetMs ? 0 : 1;
  } finally {
    for (const undo of teardowns) await undo();
    await removeTree(root);
  }
}

process.exitCode = await main();
