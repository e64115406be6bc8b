import t from "tap";
import { serve } from "../../../src/main/cli/serve.js";
import { loadConfig } from "../../../src/main/config/load-config.js";
import { createLogger } from "../../../src/main/observability/logger.js";
import { fakeMachine } from "../../support/fake-machine.js";
import { FakeProcessEvents, FakeService } from "../../support/fake-service.js";

const never = (): Promise<void> => new Promise(() => {});

function startServing(service: FakeService, argv: readonly string[] = []) {
  const loaded = loadConfig({ argv, env: {}, machine: fakeMachine() });
  if (!loaded.ok) throw new Error("the configuration has faults");
  const events = new FakeProcessEvents();
  const lines: string[] = [];
  const logger = createLogger({
    level: "info",
    format: "json",
    destination: { write: (line) => lines.push(line) },
  });
  const exitCode = serve({ config: loaded.config, logger, events, createService: service.create });
  return { events, exitCode, lines };
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
