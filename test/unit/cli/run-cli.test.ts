import t from "tap";
import { commands } from "../../../src/main/cli/commands.js";
import { runCli } from "../../../src/main/cli/run-cli.js";
import { allOptions } from "../../../src/main/config/options.js";
import { makeCliContext, runInProcess } from "../../support/cli-context.js";
import { FakeProcessEvents, FakeService } from "../../support/fake-service.js";

t.test("--help and -h print the help, wherever they stand before --", async (t) => {
  for (const argv of [["--help"], ["-h"], ["serve", "--help"], ["serve", "--prot", "-h"]]) {
    const { code, stdout, stderr } = await runInProcess(argv);
    t.equal(code, 0);
    t.match(stdout, /Usage\n/);
    t.equal(stderr, "");
  }
  t.match(await runInProcess(["help", "--", "--help"]), {
    code: 2,
    stderr: /no command "--help"/,
  });
});

t.test(
  "the help of serve names every flag and variable, and all helps stay within 100 columns",
  async (t) => {
    const { stdout } = await runInProcess(["serve", "--help"]);
    for (const { flag, env } of allOptions) {
      if (flag !== null) t.ok(stdout.includes(`--${flag} `), flag);
      if (env !== null) t.ok(stdout.includes(env), env);
    }
    const helps = await Promise.all(
      [[], ...commands.map(({ name }) => [name])].map((argv) => runInProcess([...argv, "--help"])),
    );
    const lines = helps.flatMap((help) => help.stdout.split("\n"));
    t.strictSame(
      lines.filter((line) => line.length > 100 || line.trimEnd() !== line),
      [],
    );
  },
);

t.test("help COMMAND is COMMAND --help", async (t) => {
  for (const { name } of commands) {
    t.strictSame(await runInProcess(["help", name]), await runInProcess([name, "--help"]));
  }
});

t.test("--version prints the package's version alone", async (t) => {
  const { code, stdout } = await runInProcess(["--version"]);
  t.equal(code, 0);
  t.match(stdout, /^\d+\.\d+\.\d+\S*\n$/);
});

t.test("no command prints the overview where errors go and ends with 2", async (t) => {
  const { code, stdout, stderr } = await runInProcess([]);
  t.equal(code, 2);
  t.equal(stdout, "");
  t.match(stderr, /Usage\n/);
});

t.test("an unknown command is led to the nearest one", async (t) => {
  t.match(await runInProcess(["sevre"]), {
    code: 2,
    stderr: 'codex-native-api: there is no command "sevre"; did you mean serve?\n',
  });
  t.match(await runInProcess(["launch"]), { code: 2, stderr: /the commands are serve, / });
});

t.test("words of CodexBridge's own program are answered with what is in their place", async (t) => {
  for (const argv of [["daemon"], ["daemon", "install", "--dry-run"], ["help", "daemon"]])
    t.match(await runInProcess(argv), {
      code: 2,
      stderr: /no command "daemon"; .*codex-native-api service install \(docs\/from-codexbridge\.md\)/,
    });
  const service = new FakeService();
  for (const [argv, hint] of [
    [["--public"], / --public: there is no such flag; --host 0\.0\.0\.0 .* token/],
    [
      ["serve", "--auth-path", "/home/ada/auth.json"],
      /--auth-path: .*CODEX_NATIVE_API_AUTH_PATH .*--codex-home/,
    ],
    [["--auth-path=/home/ada/auth.json"], /--auth-path: .*CODEX_NATIVE_API_AUTH_PATH .*--codex-home/],
    [["--cwd", "/srv"], /--cwd: .*turns run in no folder/],
    [["--auth-token", "secret-token"], /--auth-token: .*--auth-token-file/],
    [["-p", "43182"], /-p: .*write --port/],
  ] as const) {
    const { code, stderr } = await runInProcess(argv, { createService: service.create });
    t.equal(code, 2, argv.join(" "));
    t.match(stderr, hint);
    t.match(stderr, /docs\/from-codexbridge\.md/);
    t.notMatch(stderr, /secret-token|one argument too many/);
  }
  t.strictSame(service.calls, []);
});

t.test("flags without a command mean serve", async (t) => {
  const service = new FakeService();
  const events = new FakeProcessEvents();
  const argv = ["--port", "0", "--log-level", "silent"];
  const code = runCli(makeCliContext({ argv, events, createService: service.create }));
  events.signal("SIGTERM");
  t.equal(await code, 0);
  t.strictSame(service.calls, ["start", "stop"]);
  const { createService } = { createService: service.create };
  t.match(await runInProcess(["--prot", "1"], { createService }), {
    code: 2,
    stderr: /--prot: there is no such flag; did you mean --port\?/,
  });
  t.match(await runInProcess(["--port", "1", "serve"], { createService }), {
    code: 2,
    stderr: /"serve": is a command, which goes before all flags/,
  });
  t.match(await runInProcess(["--json", "health"], { createService }), {
    code: 2,
    stderr: /"health": is a command/,
  });
  t.match(await runInProcess(["--", "x"], { createService }), {
    code: 2,
    stderr: /"x": is one argument too many/,
  });
  t.strictSame(service.calls, ["start", "stop"], "nothing else was started");
});

t.test("config and the log of serve name variables without effect", async (t) => {
  const env = { CODEX_NATIVE_API_PUBLIC: "1", CODEX_NATIVE_API_RESTART_SEC: "2" };
  const { code, stdout, stderr } = await runInProcess(["config"], { env });
  t.equal(code, 0);
  t.match(stdout, /^listen\.host = "127\.0\.0\.1"/m);
  t.equal(
    stderr,
    "codex-native-api: CODEX_NATIVE_API_PUBLIC, CODEX_NATIVE_API_RESTART_SEC: have no effect; only CODEX_NATIVE_API_HOST says where the service listens\n",
  );
});

t.test("a flag of a command's own that is wrong is refused by name", async (t) => {
  t.match(await runInProcess(["health", "--jsno"]), {
    code: 2,
    stderr: /--jsno: there is no such flag; did you mean --json\?/,
  });
  t.match(await runInProcess(["health", "--json=1"]), { code: 2, stderr: /--json: takes no value/ });
  t.match(await runInProcess(["health", "--timeout-ms"]), {
    code: 2,
    stderr: /--timeout-ms: needs a value: MS/,
  });
  t.match(await runInProcess(["health", "--timeout-ms", "0"]), {
    code: 2,
    stderr: /takes an integer from 1/,
  });
  t.match(await runInProcess(["health", "--json", "--json"]), { code: 2, stderr: /is given more than once/ });
  t.match(await runInProcess(["health", "now"]), { code: 2, stderr: /is one argument too many/ });
  t.match(await runInProcess(["completion"]), {
    code: 2,
    stderr: /completion: needs one of: bash, zsh, fish/,
  });
  t.match(await runInProcess(["completion", "bahs"]), { code: 2, stderr: /did you mean bash\?/ });
  t.match(await runInProcess(["help", "--port", "1"]), { code: 2, stderr: /--port: there is no such flag/ });
});

t.test("configuration faults are listed, end with 2 and start nothing", async (t) => {
  const service = new FakeService();
  const { code, stderr, stdout } = await runInProcess(["serve", "--prot", "1"], {
    env: { CODEX_NATIVE_API_WORKERS: "0" },
    createService: service.create,
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
  t.strictSame(service.calls, []);
});

t.test("config prints what is in force and where it came from, without the token", async (t) => {
  const env = { CODEX_NATIVE_API_AUTH_TOKEN: "hush-hush" };
  const { code, stdout } = await runInProcess(["config", "--port", "0"], { env });
  t.equal(code, 0);
  t.match(stdout, /^listen\.port = 0 {2}\(--port\)$/m);
  t.match(stdout, /^auth\.token = \(set, not shown\) {2}\(CODEX_NATIVE_API_AUTH_TOKEN\)$/m);
  t.match(stdout, /^logLevel = "info" {2}\(default\)$/m);
  t.notMatch(stdout, /hush/);
});

t.test("config --json says the same to programs", async (t) => {
  const env = { CODEX_NATIVE_API_AUTH_TOKEN: "hush-hush" };
  const { stdout } = await runInProcess(["config", "--json", "--port", "0"], { env });
  const rows: unknown = JSON.parse(stdout);
  t.ok(Array.isArray(rows));
  const byKey = new Map(Array.isArray(rows) ? rows.map((row) => [row.key, row]) : []);
  t.strictSame(byKey.get("listen.port"), { key: "listen.port", value: 0, layer: "flag", source: "--port" });
  t.match(byKey.get("auth.token"), { value: "(set, not shown)", layer: "environment" });
  t.match(byKey.get("logLevel"), { value: "info", layer: "default", source: null });
  t.notMatch(stdout, /hush/);
});

t.test("serve runs the service until a signal and then ends the process", async (t) => {
  const service = new FakeService();
  const events = new FakeProcessEvents();
  const exits: number[] = [];
  const context = makeCliContext({
    argv: ["serve", "--log-level", "silent"],
    events,
    createService: service.create,
    exit: (exitCode) => exits.push(exitCode),
  });
  const code = runCli(context);
  events.signal("SIGTERM");
  t.equal(await code, 0);
  t.strictSame(exits, [0]);
  t.strictSame(service.calls, ["start", "stop"]);
});

t.test("what nobody foresaw is one line and no stack", async (t) => {
  const createService = async () => {
    throw new Error("the disk is full");
  };
  const ended = await runInProcess(["serve", "--log-level", "silent"], { createService });
  t.strictSame(ended, { code: 1, stdout: "", stderr: "codex-native-api: the disk is full\n" });
});
