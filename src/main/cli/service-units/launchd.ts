import { posix } from "node:path";
import { program, type ServiceManager, type UnitFacts, unitMark } from "./service-manager.js";
import type { Variable } from "./shell-settings.js";

const label = "codex-native-api";

/** launchd's domain of one user's graphical login. */
export function launchdManager(homeDir: string, userId: number): ServiceManager {
  const unitPath = posix.join(homeDir, "Library", "LaunchAgents", `${label}.plist`);
  const logPath = posix.join(homeDir, "Library", "Logs", `${label}.log`);
  const domain = `gui/${userId}`;
  const bootOut = { ...program("launchctl", "bootout", `${domain}/${label}`), mayFail: true };
  return {
    name: "launchd",
    unitPath,
    environmentPath: null,
    afterWriting: [
      bootOut,
      program("launchctl", "enable", `${domain}/${label}`),
      program("launchctl", "bootstrap", domain, unitPath),
    ],
    beforeRemoving: [bootOut],
    afterRemoving: [],
    status: program("launchctl", "print", `${domain}/${label}`),
    notRunningCodes: [113],
    hint: `It runs while you are logged in; it logs to ${logPath}, which grows without limit.`,
    renderUnit: (facts) => renderPlist(facts, logPath),
    readLogs: ({ lines, follow }) => program("tail", "-n", String(lines), ...(follow ? ["-F"] : []), logPath),
  };
}

function renderPlist(facts: UnitFacts, logPath: string): string {
  const command = [facts.nodePath, facts.cliPath, "serve", ...facts.serveArguments];
  const environment: readonly Variable[] = [["PATH", facts.searchPath], ...facts.network];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${unitMark}. -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${label}</string>
  <key>ProgramArguments</key>
  <array>
${command.map((argument) => `    <string>${escapeXml(argument)}</string>`).join("\n")}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
${environment.map(renderVariable).join("\n")}
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
  <integer>${Math.ceil(facts.stopTimeoutMs / 1000)}</integer>
  <key>Umask</key>
  <integer>${0o077}</integer>
  <key>StandardOutPath</key>
  <string>${escapeXml(logPath)}</string>
  <key>StandardErrorPath</key>
  <string>${escapeXml(logPath)}</string>
</dict>
</plist>
`;
}

function renderVariable([name, value]: Variable): string {
  return `    <key>${escapeXml(name)}</key>\n    <string>${escapeXml(value)}</string>`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
