/** Against real processes: a Node script plays the app-server. */
import t, { type Test } from "tap";
import { StdioTransport } from "../../../../src/workers/app-server/stdio-transport.js";
import { WireLog } from "./support/wire-log.js";

const opening = { openTimeoutMs: 5_000 };

interface Settings {
  readonly command?: string;
  readonly cwd?: string;
  readonly maxMessageBytes?: number;
  readonly maxBacklogBytes?: number;
  readonly stopStepMs?: number;
}

function create(t: Test, script: string, settings: Settings = {}) {
  const children: (number | null)[] = [];
  const transport = new StdioTransport({
    spec: {
      command: settings.command ?? process.execPath,
      args: ["-e", script],
      cwd: settings.cwd ?? process.cwd(),
      env: {},
      stopStepMs: settings.stopStepMs ?? 5_000,
    },
    maxMessageBytes: settings.maxMessageBytes ?? 1024 * 1024,
    maxBacklogBytes: settings.maxBacklogBytes ?? 16 * 1024 * 1024,
    stderrTailBytes: 16,
    onChild: (pid) => children.push(pid),
  });
  t.teardown(() => transport.destroy(new Error("the test is over")));
  return { transport, wire: new WireLog(), children };
}

const echo = "process.stdin.pipe(process.stdout)";
/** Says that it runs, so that the test does not signal a process that has no handlers yet. */
const hello = "process.stdout.write('hello\\n');";

t.test("lines go both ways, characters split between chunks included", async (t) => {
  const script = `
    process.stdin.on("data", (data) => {
      let at = 0;
      const step = () => { if (at < data.length) process.stdout.write(data.subarray(at, ++at), step); };
      step();
    });`;
  const { transport, wire, children } = create(t, script);
  await transport.start(wire, opening);
  t.type(children[0], "number");
  await transport.send('{"text":"é😀"}');
  t.strictSame(await wire.count(1), ['{"text":"é😀"}']);
  await transport.close();
  t.strictSame(wire.closes, [null]);
  t.equal(children.at(-1), null);
});

t.test("a process that cannot be run rejects the start without a path in the message", async (t) => {
  for (const settings of [{ command: "/nowhere/codex" }, { cwd: "/nowhere" }]) {
    const { transport, wire, children } = create(t, "", settings);
    await t.rejects(transport.start(wire, opening), {
      code: "transport_failed",
      message: "cannot run the app-server (ENOENT)",
    });
    t.strictSame([wire.closes, children], [[], []]);
    await transport.close();
  }
});

t.test("a process that dies closes the wire with its exit code and last words", async (t) => {
  const script = `process.stderr.write("x".repeat(100) + "the very last", () => process.exit(3))`;
  const { transport, wire } = create(t, script);
  await transport.start(wire, opening);
  t.match(await wire.closed, {
    code: "transport_failed",
    message: "the app-server process ended with code 3",
  });
  t.equal(transport.stderrTail, "xxxthe very last", "no more than the bound");
  await t.rejects(transport.send("{}"), { code: "transport_failed" });
});

t.test("a killed process closes the wire with the signal's name", async (t) => {
  const { transport, wire } = create(t, "process.kill(process.pid, 'SIGKILL')");
  await transport.start(wire, opening);
  t.match(await wire.closed, { message: "the app-server process ended by SIGKILL" });
});

t.test("a line over the bound ends the wire and the process", async (t) => {
  const { transport, wire, children } = create(t, `process.stdout.write("x".repeat(2000))`, {
    maxMessageBytes: 1_000,
  });
  await transport.start(wire, opening);
  t.match(await wire.closed, { code: "message_too_large" });
  await transport.close();
  t.equal(children.at(-1), null);
});

t.test("a message over the bound is refused, and the wire lives on", async (t) => {
  const { transport, wire } = create(t, echo, { maxMessageBytes: 10 });
  await transport.start(wire, opening);
  await t.rejects(transport.send("x".repeat(11)), { code: "message_too_large" });
  await transport.send("x".repeat(10));
  t.strictSame(await wire.count(1), ["xxxxxxxxxx"]);
});

t.test("a send that waits for a full pipe fails when the process dies", async (t) => {
  // It reads nothing, so the pipe stays full until it goes.
  const { transport, wire } = create(
    t,
    `${hello} process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000)`,
  );
  await transport.start(wire, opening);
  await wire.count(1);
  const sends = ["a", "b", "c"].map((letter) => transport.send(letter.repeat(500_000)));
  const settled = Promise.allSettled(sends);
  const destroyed = transport.destroy(new Error("given up"));
  for (const outcome of await settled)
    t.match(outcome, { status: "rejected", reason: { code: "transport_failed" } });
  await destroyed;
  t.match(wire.closes, [{ message: "given up" }]);
});

t.test("a process that reads nothing is sent no more than the bound", async (t) => {
  const { transport, wire } = create(t, `${hello} setInterval(() => {}, 1000)`, {
    maxBacklogBytes: 1_000_000,
  });
  await transport.start(wire, opening);
  await wire.count(1);
  const taken = ["a", "b", "c"].map((letter) => transport.send(letter.repeat(500_000)));
  const settled = Promise.allSettled(taken);
  await t.rejects(transport.send("one too many"), {
    code: "transport_failed",
    message: "the app-server does not read what it is sent",
  });
  await transport.destroy(new Error("given up"));
  await settled;
});

t.test("a send that waits for a full pipe goes on when it drains", async (t) => {
  const { transport, wire } = create(
    t,
    `${hello} let n = 0;
    process.stdin.on("data", (data) => { n += data.length; if (n > 4_000_000) process.stdout.write(n + "\\n"); });`,
    { maxMessageBytes: 8_000_000 },
  );
  await transport.start(wire, opening);
  await transport.send("x".repeat(4_000_000));
  t.strictSame(await wire.count(2), ["hello", "4000001"]);
});

t.test("a process that ignores the end of its input is stopped by SIGTERM", async (t) => {
  const { transport, wire, children } = create(t, `${hello} setInterval(() => {}, 1000)`, { stopStepMs: 50 });
  await transport.start(wire, opening);
  await wire.count(1);
  await transport.close();
  t.strictSame(wire.closes, [null]);
  t.equal(children.at(-1), null);
});

t.test("a process that ignores SIGTERM too is stopped by SIGKILL", async (t) => {
  const script = `process.on("SIGTERM", () => {}); ${hello} setInterval(() => {}, 1000)`;
  const { transport, wire, children } = create(t, script, { stopStepMs: 50 });
  await transport.start(wire, opening);
  await wire.count(1);
  await Promise.all([
    transport.close(),
    transport.close(),
    transport.destroy(new Error("too late to matter")),
  ]);
  t.strictSame(wire.closes, [null], "told once");
  t.equal(children.at(-1), null);
});

t.test("a process that closes its output and stays is given up", async (t) => {
  const { transport, wire, children } = create(t, `require("fs").closeSync(1); setInterval(() => {}, 1000)`, {
    stopStepMs: 50,
  });
  await transport.start(wire, opening);
  t.match(await wire.closed, { message: "the app-server closed its output" });
  await transport.close();
  t.equal(children.at(-1), null);
});

t.test("a grandchild that holds the pipes does not keep the wire from closing", async (t) => {
  const script = `
    const options = { stdio: "inherit", detached: true };
    const child = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], options);
    process.stdout.write(child.pid + "\\n", () => process.exit(0));`;
  const { transport, wire } = create(t, script, { stopStepMs: 50 });
  await transport.start(wire, opening);
  const [pid] = await wire.count(1);
  t.teardown(() => process.kill(Number(pid), "SIGKILL"));
  t.match(await wire.closed, { message: "the app-server process ended with code 0" });
});

t.test("nothing is heard after a destroy, which repeated calls join", async (t) => {
  const { transport, wire, children } = create(t, `setInterval(() => process.stdout.write("tick\\n"), 1)`);
  await transport.start(wire, opening);
  await wire.count(1);
  const destroyed = transport.destroy(new Error("given up"));
  t.match(wire.closes, [{ message: "given up" }], "told before destroy returns");
  const heard = wire.messages.length;
  await Promise.all([destroyed, transport.destroy(new Error("again")), transport.close()]);
  t.equal(wire.messages.length, heard);
  t.equal(wire.closes.length, 1);
  t.equal(children.at(-1), null);
});

t.test("a transport starts once, and one closed before is never started", async (t) => {
  const { transport, wire } = create(t, echo);
  await transport.start(wire, opening);
  await t.rejects(transport.start(wire, opening), { code: "transport_failed" });
  const other = create(t, echo);
  await other.transport.close();
  await t.rejects(other.transport.start(other.wire, opening), { code: "transport_failed" });
  t.strictSame(other.children, []);
});

t.test("one closed while it opens leaves no process", async (t) => {
  const { transport, wire, children } = create(t, echo);
  const started = t.rejects(transport.start(wire, opening), { code: "transport_failed" });
  await transport.close();
  await started;
  t.strictSame(wire.closes, []);
  t.strictSame(
    children.filter((pid) => pid !== null),
    [],
  );
});
