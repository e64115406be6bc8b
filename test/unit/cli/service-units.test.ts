import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import t, { type Test } from "tap";
import type { CliContext, ProgramEnd } from "../../../src/main/cli/cli-context.js";
import { launchdManager } from "../../../src/main/cli/service-units/launchd.js";
import type { UnitFacts } from "../../../src/main/cli/service-units/service-manager.js";
import { systemdManager } from "../../../src/main/cli/service-units/systemd.js";
import { runInProcess } from "../../support/cli-context.js";
import { fakeMachine } from "../../support/fake-machine.js";
import { makeTemporaryDirectory } from "../../support/temporary-directory.js";

const facts: UnitFacts = {
  nodePath: "/usr/bin/node",
  cliPath: "/opt/my apps/cli.js",
  serveArguments: ["--port=8080", '--codex-config=a.b="50 % of $HOME \\ <&>"'],
  searchPath: "/home/ada/.local/bin:/usr/bin:/bin",
  network: [["HTTPS_PROXY", 'http://ada:50%&"\\$x@proxy:3128']],
  stopTimeoutMs: 39_500,
};

const systemdUnit =
  String.raw`# Written by ~codex-native-api service install~; change it with ~systemctl --user edit codex-native-api~.
[Unit]
Description=Codex Native API: the logged-in Codex as an OpenAI-compatible API on localhost
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
ExecStart="/usr/bin/node" "/opt/my apps/cli.js" "serve" "--port=8080" "--codex-config=a.b=\"50 %% of $$HOME \\ <&>\""
# Reads the config file and the files that it names again: tokens, log level, limits.
ExecReload=/bin/kill -HUP $MAINPID
Environment="PATH=/home/ada/.local/bin:/usr/bin:/bin"
Environment="HTTPS_PROXY=http://ada:50%%&\"\\$x@proxy:3128"
# Settings that may change without a new unit. The flags above win over them.
EnvironmentFile=-%E/codex-native-api/env
Restart=on-failure
RestartSec=5
# The configuration is at fault: the journal shows the fault, and a restart would not help.
RestartPreventExitStatus=2
# The service ends its Codex by itself after the turns in flight. A signal to Codex as well would cut them off.
KillMode=mixed
TimeoutStopSec=40

# Restrictions that a user's manager can set without namespaces, under which Codex still works.
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
UMask=0077
LimitCORE=0

[Install]
WantedBy=default.target
`.replaceAll("~", "`");

const launchdPlist = String.raw`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Written by ~codex-native-api service install~. -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>codex-native-api</string>
  <key>ProgramArguments</key>
  <array>
    <string>/usr/bin/node</string>
    <string>/opt/my apps/cli.js</string>
    <string>serve</string>
    <string>--port=8080</string>
    <string>--codex-config=a.b="50 % of $HOME \ &lt;&amp;&gt;"</string>
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PATH</key>
    <string>/home/ada/.local/bin:/usr/bin:/bin</string>
    <key>HTTPS_PROXY</key>
    <string>http://ada:50%&amp;"\$x@proxy:3128</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <!-- launchd treats a fault of the configuration (exit code 2) like any other: it waits a minute between attempts. -->
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>60</integer>
  <key>ExitTimeOut</key>
  <integer>40</integer>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardOutPath</key>
  <string>/Users/ada/Library/Logs/codex-native-api.log</string>
  <key>StandardErrorPath</key>
  <string>/Users/ada/Library/Logs/codex-native-api.log</string>
</dict>
</plist>
`.replaceAll("~", "`");

t.test("the systemd unit, to the letter", async (t) => {
  t.equal(systemdManager("/home/ada/.config").renderUnit(facts), systemdUnit);
});

t.test("the launchd plist, to the letter", async (t) => {
  t.equal(launchdManager("/Users/ada", 501).renderUnit(facts), launchdPlist);
});

/** A home of its own, and a record of what would have been run. */
async function makeHome(t: Test, end: (line: string) => ProgramEnd = () => ({ outcome: "exited", code: 0 })) {
  const homeDir = await makeTemporaryDirectory(t);
  const ran: string[] = [];
  const run = (argv: readonly string[], overrides: Partial<CliContext> = {}) =>
    runInProcess(["service", ...argv], {
      machine: fakeMachine({}, { homeDir }),
      env: { PATH: "/usr/bin:/bin" },
      runProgram: async (command, args) => {
        const line = [command, ...args].join(" ");
        ran.push(line);
        return end(line);
      },
      ...overrides,
    });
  const unitPath = join(homeDir, ".config/systemd/user/codex-native-api.service");
  return { homeDir, ran, run, unitPath };
}

t.test("the unit means to systemd what it says", async (t) => {
  const { homeDir } = await makeHome(t);
  const path = join(homeDir, "codex-native-api.service");
  const unit = systemdManager(homeDir).renderUnit({
    ...facts,
    nodePath: process.execPath,
    cliPath: join(homeDir, "cli.js"),
  });
  await writeFile(path, unit);
  const env = { PATH: process.env.PATH, HOME: homeDir, XDG_RUNTIME_DIR: homeDir };
  const verdict = await new Promise<string | null>((resolve) => {
    execFile(
      "systemd-analyze",
      ["verify", "--user", path],
      { env, timeout: 60_000 },
      (error, stdout, stderr) => {
        resolve(
          error !== null && "code" in error && error.code === "ENOENT"
            ? null
            : `${error ?? ""}${stdout}${stderr}`,
        );
      },
    );
  });
  if (verdict === null) return t.comment("there is no systemd-analyze here");
  t.equal(verdict, "");
});

t.test("install writes the unit, starts it, and says where settings go", async (t) => {
  const { run, ran, unitPath, homeDir } = await makeHome(t);
  const { code, stdout } = await run(["install", "--port", "8080", "--state-dir", "state"], {
    env: { PATH: "/usr/bin:/bin", CODEX_NATIVE_API_PORT: "9090", CODEX_HOME: "~/codex-work" },
  });
  t.equal(code, 0);
  const unit = await readFile(unitPath, "utf8");
  const command = [
    '"/usr/bin/node" "/opt/codex-native-api/dist/main/cli.js" "serve"',
    `"--port=8080" "--codex-home=${homeDir}/codex-work" "--state-dir=/srv/app/state"`,
  ];
  t.ok(unit.includes(`ExecStart=${command.join(" ")}\n`), unit);
  t.match(unit, /^TimeoutStopSec=15$/m);
  t.equal((await stat(unitPath)).mode & 0o777, 0o600);
  t.strictSame(ran, [
    "systemctl --user daemon-reload",
    "systemctl --user enable codex-native-api.service",
    "systemctl --user restart codex-native-api.service",
  ]);
  t.match(stdout, /Settings may go to .*\.config\/codex-native-api\/env/);
  t.match(stdout, /enable-linger/);
});

const proxied = {
  PATH: "/bin",
  HTTPS_PROXY: "http://ada:s3cret@proxy.example:3128",
  all_proxy: "socks5://127.0.0.1:1080",
  no_proxy: "localhost,127.0.0.1",
  HTTP_PROXY: "",
  http_proxy: "http://x\nExecStart=/bin/evil",
  SSL_CERT_FILE: "ca.pem",
  SSL_CERT_DIR: "/etc/ssl/certs:more",
  NODE_EXTRA_CA_CERTS: "/etc/corp.pem",
  CODEX_CA_CERTIFICATE: "/etc/codex.pem",
  OPENAI_API_KEY: "sk-of-ada",
};

t.test("the unit keeps the proxies and certificates of the shell, and nothing else of it", async (t) => {
  const { run, unitPath } = await makeHome(t);
  const { code, stdout, stderr } = await run(["install"], { env: proxied });
  t.equal(code, 0);
  const unit = await readFile(unitPath, "utf8");
  t.strictSame(unit.match(/^Environment=.*$/gm), [
    'Environment="PATH=/bin"',
    'Environment="HTTPS_PROXY=http://ada:s3cret@proxy.example:3128"',
    'Environment="no_proxy=localhost,127.0.0.1"',
    'Environment="all_proxy=socks5://127.0.0.1:1080"',
    'Environment="SSL_CERT_FILE=/srv/app/ca.pem"',
    'Environment="SSL_CERT_DIR=/etc/ssl/certs:/srv/app/more"',
    'Environment="NODE_EXTRA_CA_CERTS=/etc/corp.pem"',
    'Environment="CODEX_CA_CERTIFICATE=/etc/codex.pem"',
  ]);
  t.notMatch(unit, /evil|sk-of-ada/);
  t.match(stderr, /holds the value of HTTPS_PROXY,.*0600/);
  t.notMatch(stdout + stderr, /s3cret/);
});

t.test("a proxy's password is kept from whoever looks at the screen, or at a unit of before", async (t) => {
  const { run, unitPath } = await makeHome(t);
  const shown = await run(["install", "--dry-run"], { env: proxied });
  t.match(shown.stdout, 'Environment="HTTPS_PROXY=http://***@proxy.example:3128"');
  t.notMatch(shown.stdout, /s3cret/);
  await run(["install"]);
  await chmod(unitPath, 0o644);
  await run(["install"], { env: proxied });
  t.equal((await stat(unitPath)).mode & 0o777, 0o600);
});

t.test("an argument with a line end stays one argument", async (t) => {
  const unit = systemdManager("/home/ada/.config").renderUnit({
    ...facts,
    serveArguments: ["--codex-config=a=x\nExecStartPre=/bin/evil"],
  });
  t.notMatch(unit, /^ExecStartPre/m);
  t.match(unit, "a=x\\u000aExecStartPre");
});

t.test("--dry-run says all of it and does nothing", async (t) => {
  const { run, ran, unitPath } = await makeHome(t);
  const installed = await run(["install", "--dry-run"]);
  t.equal(installed.code, 0);
  t.ok(installed.stdout.startsWith(`# writes ${unitPath}:\n# Written by`));
  t.match(installed.stdout, /# runs:\nsystemctl --user daemon-reload\n/);
  t.match((await run(["uninstall", "--dry-run"])).stdout, new RegExp(`# removes ${unitPath}`));
  t.equal(
    (await run(["status", "--dry-run"])).stdout,
    "systemctl --user status --no-pager codex-native-api.service\n",
  );
  t.strictSame(ran, []);
  await t.rejects(stat(unitPath), { code: "ENOENT" });
});

t.test("uninstall stops the service and removes what install wrote; again it is content", async (t) => {
  const { run, ran, unitPath } = await makeHome(t);
  await run(["install"]);
  ran.length = 0;
  t.match(await run(["uninstall"]), { code: 0, stdout: /^Stopped and removed/ });
  t.strictSame(ran, [
    "systemctl --user disable --now codex-native-api.service",
    "systemctl --user daemon-reload",
  ]);
  await t.rejects(stat(unitPath), { code: "ENOENT" });
  t.match(await run(["uninstall"]), { code: 0, stdout: /^Nothing is installed/ });
});

t.test("a unit that somebody else wrote is left alone", async (t) => {
  const { run, ran, unitPath } = await makeHome(t);
  await mkdir(dirname(unitPath), { recursive: true });
  await writeFile(unitPath, "[Service]\n");
  for (const what of ["install", "uninstall"])
    t.match(await run([what]), { code: 1, stderr: /was not written by this command/ });
  t.strictSame(ran, []);
  t.equal(await readFile(unitPath, "utf8"), "[Service]\n");
});

t.test("a token in the environment is refused, for a unit can be read", async (t) => {
  const { run, ran } = await makeHome(t);
  const env = { PATH: "/bin", CODEX_NATIVE_API_AUTH_TOKEN: "a-token-of-mine-12345" };
  const { code, stderr } = await run(["install"], { env });
  t.equal(code, 2);
  t.match(stderr, /CODEX_NATIVE_API_AUTH_TOKEN would be readable in the unit/);
  t.notMatch(stderr, /a-token-of-mine/);
  t.strictSame(ran, []);
});

t.test("status and logs are the service manager's own words, and its exit code becomes ours", async (t) => {
  for (const [theirs, ours] of [
    [0, 0],
    [3, 3],
    [4, 3],
    [1, 1],
  ] as const) {
    const { run } = await makeHome(t, () => ({ outcome: "exited", code: theirs }));
    t.equal((await run(["status"])).code, ours);
  }
  const { run, ran } = await makeHome(t);
  await run(["logs"]);
  await run(["logs", "--follow", "--lines", "5"]);
  t.strictSame(ran, [
    "journalctl --user --unit codex-native-api.service --lines 100 --no-pager",
    "journalctl --user --unit codex-native-api.service --lines 5 --follow",
  ]);
  t.match(await run(["logs", "--lines", "few"]), { code: 2, stderr: /--lines: takes a whole number/ });
});

t.test("a step that fails is named, and nothing follows it", async (t) => {
  const { run, ran } = await makeHome(t, (line) => ({
    outcome: "exited",
    code: line.includes("enable") ? 1 : 0,
  }));
  t.match(await run(["install"]), {
    code: 1,
    stderr: /`systemctl --user enable codex-native-api.service` ended with 1/,
  });
  t.equal(ran.length, 2);
  const without = await makeHome(t, () => ({ outcome: "not_started", errorCode: "ENOENT" }));
  t.match(await without.run(["install"]), { code: 1, stderr: /there is no systemctl on PATH/ });
});

t.test("macOS is told by launchctl, an older service out first", async (t) => {
  const { homeDir, run, ran } = await makeHome(t, (line) => ({
    outcome: "exited",
    code: line.includes("bootout") ? 3 : 0,
  }));
  const machine = fakeMachine({}, { homeDir, platform: "darwin" });
  t.match(await run(["install"], { machine }), { code: 0 });
  const plist = join(homeDir, "Library/LaunchAgents/codex-native-api.plist");
  t.match(await readFile(plist, "utf8"), /<string>serve<\/string>/);
  t.strictSame(ran, [
    "launchctl bootout gui/501/codex-native-api",
    "launchctl enable gui/501/codex-native-api",
    `launchctl bootstrap gui/501 ${plist}`,
  ]);
  ran.length = 0;
  t.match(await run(["uninstall"], { machine }), { code: 0 });
  await run(["logs"], { machine });
  t.strictSame(ran, [
    "launchctl bootout gui/501/codex-native-api",
    `tail -n 100 ${homeDir}/Library/Logs/codex-native-api.log`,
  ]);
});

t.test("other systems are told that there is no such command for them", async (t) => {
  const machine = fakeMachine({}, { platform: "win32" });
  t.match(await runInProcess(["service", "status"], { machine }), { code: 1, stderr: /Linux .* and macOS/ });
});
