import { posix } from "node:path";
import { program, type ServiceManager, type UnitFacts, unitMark } from "./service-manager.js";

const unitName = "codex-native-api.service";

/** systemd's manager for one user: no root, and that user's login. `configDir` holds the user's configuration. */
export function systemdManager(configDir: string): ServiceManager {
  return {
    name: "systemd",
    unitPath: posix.join(configDir, "systemd", "user", unitName),
    environmentPath: posix.join(configDir, "codex-native-api", "env"),
    afterWriting: [systemctl("daemon-reload"), systemctl("enable", unitName), systemctl("restart", unitName)],
    beforeRemoving: [{ ...systemctl("disable", "--now", unitName), mayFail: true }],
    afterRemoving: [systemctl("daemon-reload")],
    status: systemctl("status", "--no-pager", unitName),
    notRunningCodes: [3, 4],
    hint: "It runs while you are logged in to this machine; `loginctl enable-linger` lets it run always.",
    renderUnit,
    readLogs: ({ lines, follow }) => {
      const mode = follow ? "--follow" : "--no-pager";
      return program("journalctl", "--user", "--unit", unitName, "--lines", String(lines), mode);
    },
  };
}

function systemctl(...args: readonly string[]) {
  return program("systemctl", "--user", ...args);
}

function renderUnit(facts: UnitFacts): string {
  const command = [facts.nodePath, facts.cliPath, "serve", ...facts.serveArguments];
  const environment = [["PATH", facts.searchPath], ...facts.network];
  return `# ${unitMark}; change it with \`systemctl --user edit codex-native-api\`.
[Unit]
Description=Codex Native API: the logged-in Codex as an OpenAI-compatible API on localhost
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
ExecStart=${command.map(quoteArgument).join(" ")}
# Reads the config file and the files that it names again: tokens, log level, limits.
ExecReload=/bin/kill -HUP $MAINPID
${environment.map(([name, value]) => `Environment=${quote(`${name}=${value}`)}`).join("\n")}
# Settings that may change without a new unit. The flags above win over them.
EnvironmentFile=-%E/codex-native-api/env
Restart=on-failure
RestartSec=5
# The configuration is at fault: the journal shows the fault, and a restart would not help.
RestartPreventExitStatus=2
# The service ends its Codex by itself after the turns in flight. A signal to Codex as well would cut them off.
KillMode=mixed
TimeoutStopSec=${Math.ceil(facts.stopTimeoutMs / 1000)}

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
`;
}

/** Also escapes `$`, which begins a variable in a command line. */
function quoteArgument(text: string): string {
  return quote(text).replaceAll("$", "$$$$");
}

/** Escapes control characters too, since a line end would begin another setting. */
function quote(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("%", "%%")
    .replaceAll(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `"${escaped}"`;
}
