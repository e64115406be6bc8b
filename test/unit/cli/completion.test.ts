import { execFile } from "node:child_process";
import { promisify } from "node:util";
import t from "tap";
import { commands } from "../../../src/main/cli/commands.js";
import { runInProcess } from "../../support/cli-context.js";

const run = promisify(execFile);

/** What bash would offer for this line; the last word is the one being typed. */
async function complete(words: readonly string[]): Promise<readonly string[]> {
  const { stdout: script } = await runInProcess(["completion", "bash"]);
  const [current, previous] = [words.at(-1) ?? "", words.at(-2) ?? ""];
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const ask = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _codex_native_api x '${current}' '${previous}'`;
  const { stdout } = await run("bash", ["-c", `${script}\n${ask}\nprintf '%s\\n' "\${COMPREPLY[@]}"`]);
  return stdout.split("\n").filter((line) => line !== "");
}

t.test("bash completes commands, their flags, choices and values", async (t) => {
  const program = "codex-native-api";
  t.strictSame(await complete([program, "he"]), ["health", "help"]);
  t.strictSame(await complete([program, "health", "--jso"]), ["--json", "--json-keep-alive"]);
  t.strictSame(await complete([program, "serve", "--codex-home-mode", "u"]), ["user"]);
  t.strictSame(await complete([program, "completion", ""]), ["bash", "zsh", "fish", "--help"]);
  t.strictSame(await complete([program, "serve", "--port", ""]), []);
  t.ok((await complete([program, "help", ""])).includes("serve"));
});

t.test("every script names every command and its flags", async (t) => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout } = await runInProcess(["completion", shell]);
    t.equal(code, 0);
    for (const { name, flags } of commands) {
      t.ok(stdout.includes(name), `${shell} ${name}`);
      for (const flag of flags) t.ok(stdout.includes(flag.name), `${shell} ${name} --${flag.name}`);
    }
  }
});

t.test("zsh and fish get quotes and brackets escaped", async (t) => {
  const zsh = (await runInProcess(["completion", "zsh"])).stdout;
  t.match(zsh, /'--config\[Configuration file\]:value:_files'/);
  t.match(zsh, /'--codex-home-mode\[isolated\\: .*\]:value:\(isolated user\)'/);
  const fish = (await runInProcess(["completion", "fish"])).stdout;
  t.match(fish, /-l codex-home-mode -x -a 'isolated user'/);
  t.match(fish, /for a request\\'s headers/);
});
