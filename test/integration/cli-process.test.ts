import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import t from "tap";

const cli = fileURLToPath(new URL("../../src/main/cli.js", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function runProcess(argv: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const options = { env: { PATH: process.env.PATH, HOME: t.testdirName, ...env }, timeout: 20_000 };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...argv], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

t.test("--help ends with 0 and writes to standard output alone", async (t) => {
  t.match(await runProcess(["--help"]), {
    code: 0,
    stdout: /codex-native-api COMMAND \[options\]/,
    stderr: "",
  });
});

t.test("--version prints the version of package.json", async (t) => {
  const manifest: unknown = JSON.parse(await readFile("package.json", "utf8"));
  const { code, stdout } = await runProcess(["--version"]);
  t.equal(code, 0);
  t.match(manifest, { version: stdout.trimEnd() });
});

t.test("configuration faults end with 2 and are all on standard error", async (t) => {
  const ended = await runProcess(["serve", "--port", "http"], { CODEX_NATIVE_API_HOST: "0.0.0.0" });
  t.equal(ended.code, 2);
  t.equal(ended.stdout, "");
  t.match(ended.stderr, /--port: "http" is not allowed/);
  t.match(ended.stderr, /CODEX_NATIVE_API_HOST: "0\.0\.0\.0" is reachable from other machines/);
});

t.test("a missing config file ends with 2", async (t) => {
  t.match(await runProcess(["serve", "--config", "nowhere.json"]), {
    code: 2,
    stderr: /there is no file .*nowhere\.json/,
  });
});
