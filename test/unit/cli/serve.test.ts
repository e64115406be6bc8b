import t from "tap";
import { serve } from "../../../src/main/cli/serve.js";
import { loadConfig } from "../../../src/main/config/load-config.js";
import { createLogger } from "../../../src/main/observability/logger.js";
import { fakeMachine } from "../../support/fake-machine.js";
import { FakeProcessEvents, FakeService } from "../../support/fake-service.js";

const never = (): Promise<void> => new Promise(() => {});

const configFile = "/home/ada/.config/codex-native-api/config.json";

/** `files` may be changed while it serves. */
function startServing(service: FakeService, files: Record<string, string> = {}) {
  const readConfig = () => loadConfig({ argv: [], env: {}, machine: fakeMachine({ ...files }) });
  const loaded = readConfig();
  if (!loaded.ok) throw new Error("the configuration has faults");
  const events = new FakeProcessEvents();
  const lines: string[] = [];
  const logger = createLogger({
    level: "info",
    format: "json",
    destination: { write: (line) => lines.push(line) },
  });
  const { config } = loaded;
  const exitCode = serve({ config, logger, events, createService: service.create, readConfig });
  return { events, exitCode, lines, logger };
}

t.test("a signal drains the service and ends with 0", async (t) => {
  const service = new FakeService();
  const { events, exitCode } = startServing(service);
  events.signal("SIGTERM");
  t.equal(await exitCode, 0);
  t.strictSame(service.calls, ["start", "stop"]);
});

t.test("a second signal ends a drain at once with 1", async (t) => {
  const service = new FakeService({ stop: never });
  const { events, exitCode } = startServing(service);
  events.signal("SIGINT");
  events.signal("SIGINT");
  t.equal(await exitCode, 1);
  t.strictSame(service.calls, ["start", "stop", "destroy"]);
});

t.test("a signal while the service still starts stops it", async (t) => {
  const service = new FakeService({ start: never });
  const { events, exitCode } = startServing(service);
  events.signal("SIGTERM");
  t.equal(await exitCode, 0);
  t.strictSame(service.calls, ["start", "stop"]);
});

t.test("a start that fails is logged, cleaned up and ends with 1", async (t) => {
  const service = new FakeService({ start: () => Promise.reject(new Error("EADDRINUSE")) });
  const { exitCode, lines } = startServing(service);
  t.equal(await exitCode, 1);
  t.strictSame(service.calls, ["start", "destroy"]);
  t.match(lines.join(""), /"event":"service.start_failed".*EADDRINUSE/);
});

t.test(
  "a fault of the start that was foreseen is one line without a stack, and has its own exit code",
  async (t) => {
    const error = Object.assign(new Error("listen EACCES"), { code: "EACCES", syscall: "listen" });
    const service = new FakeService({ start: () => Promise.reject(error) });
    const { exitCode, lines } = startServing(service);
    t.equal(await exitCode, 2);
    t.strictSame(service.calls, ["start", "destroy"]);
    t.equal(lines.length, 1);
    t.match(JSON.parse(lines[0] ?? ""), {
      level: "fatal",
      event: "service.start_failed",
      code: "EACCES",
      msg: /^not started: you may not listen at .*; choose a port above 1023: --port$/,
    });
    t.notMatch(lines.join(""), /"stack"|"err"/);
  },
);

t.test("an exception nobody caught ends the service with 1", async (t) => {
  const service = new FakeService();
  const { events, exitCode, lines } = startServing(service);
  events.crash(new Error("lost"));
  t.equal(await exitCode, 1);
  t.strictSame(service.calls, ["start", "destroy"]);
  t.match(lines.join(""), /"event":"service.crash".*lost/);
});

t.test("a stop that fails is followed by the hard way and ends with 1", async (t) => {
  const service = new FakeService({ stop: () => Promise.reject(new Error("stuck")) });
  const { events, exitCode, lines } = startServing(service);
  events.signal("SIGTERM");
  t.equal(await exitCode, 1);
  t.strictSame(service.calls, ["start", "stop", "destroy"]);
  t.match(lines.join(""), /stuck/);
});

t.test("a destroy that never settles does not hold the process", async (t) => {
  const service = new FakeService({ stop: never, destroy: never });
  const { events, exitCode } = startServing(service);
  events.signal("SIGINT");
  events.signal("SIGINT");
  t.equal(await exitCode, 1);
});

/** What a hang-up began has been done. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

t.test("SIGHUP reads the files anew and gives the service what they say now", async (t) => {
  const service = new FakeService();
  const files: Record<string, string> = {};
  const { events, exitCode, logger } = startServing(service, files);
  await settle();
  files[configFile] = JSON.stringify({ logLevel: "debug", http: { allowedHosts: ["box.lan"] } });
  events.hangUp(false);
  await settle();
  t.match(service.configs, [{ http: { allowedHosts: ["box.lan"] } }]);
  t.equal(logger.level, "debug");
  events.signal("SIGTERM");
  t.equal(await exitCode, 0);
});

t.test("a configuration with faults changes nothing, and every fault is logged", async (t) => {
  const service = new FakeService();
  const files: Record<string, string> = {};
  const { events, exitCode, lines, logger } = startServing(service, files);
  await settle();
  files[configFile] = JSON.stringify({ logLevel: "loud", auth: { tokens: [{ name: "ada" }] }, prot: 1 });
  events.hangUp(false);
  await settle();
  t.strictSame(service.configs, []);
  t.equal(logger.level, "info");
  const refusal = lines.find((line) => line.includes("service.reload_refused")) ?? "{}";
  t.match(JSON.parse(refusal), {
    level: "error",
    faults: [
      /prot in .*did you mean listen\.port/,
      /logLevel in /,
      /auth\.tokens\[0\] in .*needs exactly one of/,
    ],
  });
  events.signal("SIGTERM");
  t.equal(await exitCode, 0);
});

t.test("a reload that the service refuses leaves the log level as it was", async (t) => {
  const service = new FakeService({ reload: () => Promise.reject(new TypeError("no token")) });
  const files: Record<string, string> = {};
  const { events, exitCode, lines, logger } = startServing(service, files);
  await settle();
  files[configFile] = JSON.stringify({ logLevel: "debug" });
  events.hangUp(false);
  await settle();
  t.equal(logger.level, "info");
  t.match(lines.join(""), /service\.reload_refused.*no token/);
  events.signal("SIGTERM");
  t.equal(await exitCode, 0);
});

t.test("SIGHUP of a terminal that is gone drains the service like SIGTERM", async (t) => {
  const service = new FakeService();
  const { events, exitCode } = startServing(service);
  events.hangUp(true);
  t.equal(await exitCode, 0);
  t.strictSame(service.calls, ["start", "stop"]);
});
