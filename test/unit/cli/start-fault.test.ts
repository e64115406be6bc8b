import { chmod } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import t from "tap";
import { describeStartFault, formatStartFault } from "../../../src/main/cli/start-fault.js";
import { loadConfig } from "../../../src/main/config/load-config.js";
import type { CodexNativeApiConfig } from "../../../src/main/config/types.js";
import { CodexNativeApiError } from "../../../src/main/errors.js";
import { fakeMachine } from "../../support/fake-machine.js";
import { serveFake } from "../../support/http-fixture.js";
import { makeTemporaryDirectory } from "../../support/temporary-directory.js";

const token = "a-token-of-the-service";

function configOf(...argv: readonly string[]): CodexNativeApiConfig {
  const loaded = loadConfig({
    argv,
    env: { CODEX_NATIVE_API_AUTH_TOKEN: token },
    machine: fakeMachine(),
  });
  if (!loaded.ok) throw new Error(`the configuration has faults: ${JSON.stringify(loaded.faults)}`);
  return loaded.config;
}

/** As node's listener rejects. */
function systemError(code: string, syscall = "listen"): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall, errno: -1 });
}

const faults: readonly [code: string, syscall: string, exitCode: number, line: RegExp][] = [
  ["EACCES", "listen", 2, /^you may not listen at 192\.0\.2\.1:80; choose a port above 1023: --port$/],
  ["EADDRNOTAVAIL", "listen", 1, /^192\.0\.2\.1 is no address of this machine; .*--host 127\.0\.0\.1$/],
  ["ENOTFOUND", "getaddrinfo", 2, /^there is no host named 192\.0\.2\.1; .*--host 127\.0\.0\.1$/],
  ["EAI_AGAIN", "getaddrinfo", 1, /^the name 192\.0\.2\.1 cannot be looked up now; .*DNS/],
  ["EAFNOSUPPORT", "listen", 1, /^cannot listen at 192\.0\.2\.1:80 \(EAFNOSUPPORT\); .*--host, --port$/],
];

for (const [code, syscall, exitCode, line] of faults) {
  t.test(`${code} is one line that says what to do, and ends with ${exitCode}`, async (t) => {
    const config = configOf("--host", "192.0.2.1", "--port", "80");
    const fault = await describeStartFault(systemError(code, syscall), config);
    t.match(fault, { code, exitCode });
    if (fault !== null) t.match(formatStartFault(fault), line);
  });
}

t.test("an address that another program holds says so", async (t) => {
  const server = createServer((_request, response) => response.end("hello"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  t.match(await describeStartFault(systemError("EADDRINUSE"), configOf("--port", String(port))), {
    exitCode: 1,
    found: `another program holds 127.0.0.1:${port}`,
    advice: /--port/,
  });
});

for (const [who, itsToken] of [
  ["takes our token", token],
  ["wants another token", "another-token-of-it"],
] as const) {
  t.test(`an address that this very service holds says so, where that ${who}`, async (t) => {
    const { port, url } = await serveFake(t, { authToken: itsToken });
    t.match(await describeStartFault(systemError("EADDRINUSE"), configOf("--port", String(port))), {
      exitCode: 1,
      found: `the service runs at ${url} already`,
      advice: /stop it first, or choose another port: --port/,
    });
  });
}

t.test("a state directory that cannot be used is named, with what to do about it", async (t) => {
  const directory = await makeTemporaryDirectory(t);
  await chmod(directory, 0o755);
  const error = new CodexNativeApiError(
    "native_runtime_unavailable",
    "The state directory is open to others.",
  );
  t.match(await describeStartFault(error, configOf("--state-dir", directory)), {
    exitCode: 1,
    found: `${directory} is open to other users (mode 755)`,
    advice: new RegExp(`^chmod 700 ${directory}`),
  });
  await chmod(directory, 0o700);
  const other = await describeStartFault(error, configOf("--state-dir", directory));
  t.match(other, { exitCode: 1, found: error.message, advice: "" });
  t.equal(other === null ? "" : formatStartFault(other), error.message);
});

t.test("what nobody foresaw is left to the log, stack and all", async (t) => {
  const config = configOf();
  for (const error of [
    new Error("lost"),
    systemError("EADDRINUSE", "connect"),
    new CodexNativeApiError("internal_error", "x"),
    "a text",
  ]) {
    t.equal(await describeStartFault(error, config), null);
  }
});
