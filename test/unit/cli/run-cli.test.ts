import t from "tap";
import { runCli } from "../../../src/main/cli/run-cli.js";
import { allOptions } from "../../../src/main/config/options.js";
import { fakeMachine } from "../../support/fake-machine.js";
import { FakeProcessEvents, FakeService } from "../../support/fake-service.js";

async function run(argv: readonly string[], env: Record<string, string> = {}) {
  const written = { stdout: "", stderr: "" };
  const service = new FakeService();
  const exits: number[] = [];
  const code = await runCli({
    argv,
    env,
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    machine: fakeMachine(),
    events: new FakeProcessEvents(),
    createService: service.create,
    exit: (exitCode) => exits.push(exitCode),
  });
  return { code, ...written, calls: service.calls, exits };
}

t.test("--help and -h print the help, wherever they stand", async (t) => {
  for (const argv of [["--help"], ["-h"], ["serve", "--help"], ["serve", "--prot", "-h"]]) {
    const { code, stdout, stderr } = await run(argv);
    t.equal(code, 0);
    t.match(stdout, /Usage\n/);
    t.equal(stderr, "");
  }
});

t.test("the help names every flag and variable and stays within 100 columns", async (t) => {
  const { stdout } = await run(["--help"]);
  for (const { flag, env } of allOptions) {
    if (flag !== null) t.ok(stdout.includes(`--${flag} `), flag);
    if (env !== null) t.ok(stdout.includes(env), env);
  }
  t.strictSame(
    stdout.split("\n").filter((line) => line.length > 100 || line.trimEnd() !== line),
    [],
  );
});

t.test("--version prints the package's version alone", async (t) => {
  const { code, stdout } = await run(["--version"]);
  t.equal(code, 0);
  t.match(stdout, /^\d+\.\d+\.\d+\S*\n$/);
});

t.test("no command prints the help where errors go and ends with 2", async (t) => {
  const { code, stdout, stderr } = await run([]);
  t.equal(code, 2);
  t.equal(stdout, "");
  t.match(stderr, /Usage\n/);
});

t.test("an unknown command is led to the nearest one", async (t) => {
  t.match(await run(["sevre"]), {
    code: 2,
    stderr: 'codex-native-api: there is no command "sevre"; did you mean serve?\n',
  });
  t.match(await run(["start"]), { code: 2, stderr: /the commands are serve and config/ });
  t.match(await run(["--port", "1"]), { code: 2, stderr: /name a command first/ });
});

t.test("configuration faults are listed, end with 2 and start nothing", async (t) => {
  const { code, stderr, stdout, calls } = await run(["serve", "--prot", "1"], {
    CODEX_NATIVE_API_WORKERS: "0",
  });
  t.equal(code, 2);
  t.equal(stdout, "");
  t.equal(
    stderr,
    [
      "codex-native-api: 2 faults in the configuration",
      "  --prot: there is no such flag; did you mean --port?",
      '  CODEX_NATIVE_API_WORKERS: "0" is not allowed; it takes an integer from 1 to 64',
      "",
    ]
      .join("\n")
      .replace('"0"', "0"),
  );
  t.strictSame(calls, []);
});

t.test("config prints what is in force and where it came from, without the token", async (t) => {
  const { code, stdout } = await run(["config", "--port", "0"], { CODEX_NATIVE_API_AUTH_TOKEN: "hush-hush" });
  t.equal(code, 0);
  t.match(stdout, /^listen\.port = 0 {2}\(--port\)$/m);
  t.match(stdout, /^auth\.token = \(set, not shown\) {2}\(CODEX_NATIVE_API_AUTH_TOKEN\)$/m);
  t.match(stdout, /^logLevel = "info" {2}\(default\)$/m);
  t.notMatch(stdout, /hush/);
});

t.test("serve runs the service until a signal and then ends the process", async (t) => {
  const service = new FakeService();
  const events = new FakeProcessEvents();
  const exits: number[] = [];
  const code = runCli({
    argv: ["serve", "--log-level", "silent"],
    env: {},
    stdout: { write: () => true },
    stderr: { write: () => true },
    machine: fakeMachine(),
    events,
    createService: service.create,
    exit: (exitCode) => exits.push(exitCode),
  });
  events.signal("SIGTERM");
  t.equal(await code, 0);
  t.strictSame(exits, [0]);
  t.strictSame(service.calls, ["start", "stop"]);
});
