/** Starts, ends and losses in any order: every call is answered, and nothing is left when the last end is over. */
import { connect } from "node:net";
import fc from "fast-check";
import t, { type Test } from "tap";
import { CodexNativeApiServer } from "../../src/main/http/server.js";
import { createRuntimeHarness } from "../support/runtime-harness.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";
import { anywhere, ConnectionHarness } from "../unit/workers/app-server/support/connection-harness.js";
import { RecordingListener } from "../unit/workers/app-server/support/recording-listener.js";
import { planFuzz } from "./support/fuzz-plan.js";
import { quickServerOptions } from "./support/quick-server.js";

t.setTimeout(900_000);

const deadlineMs = 60_000;

/** Rejects where one of them is still open at the deadline; how each of them settled is its own affair. */
async function settleAll(promises: readonly Promise<unknown>[], what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: never settled`)), deadlineMs);
  });
  try {
    await Promise.race([Promise.allSettled(promises), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function turnLoop(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await new Promise((resolve) => setImmediate(resolve));
}

const connectionSteps = fc.array(
  fc.constantFrom(
    ...["connect", "connect", "break", "break", "call", "call", "wait until ready", "listen"],
    ...["let a while pass", "refuse to open", "open again", "disconnect", "close"],
  ),
  { maxLength: 14 },
);

/** What a worker's connection promised, and its listeners. */
class ConnectionScene {
  readonly harness: ConnectionHarness;
  readonly promises: Promise<unknown>[] = [];
  readonly listeners: RecordingListener[] = [];

  constructor(t: Test) {
    this.harness = new ConnectionHarness(t);
  }

  async take(step: string): Promise<void> {
    const { harness, promises } = this;
    const { connection } = harness;
    switch (step) {
      case "connect":
        // Refused, by a throw, once it is closed.
        if (connection.state !== "closed") connection.connect(anywhere, harness.peers.length);
        return;
      case "break":
        return harness.peers.at(-1)?.hangUp(new Error("gone"));
      case "call":
        return void promises.push(connection.call("account/read", {}, { timeoutMs: deadlineMs }));
      case "wait until ready":
        return void promises.push(connection.whenReady({ timeoutMs: deadlineMs }));
      case "listen":
        return this.#listen();
      case "let a while pass":
        return turnLoop(5);
      case "refuse to open":
        harness.startFailure = new Error("refused");
        return;
      case "open again":
        harness.startFailure = null;
        return;
      case "disconnect":
        return void promises.push(connection.disconnect());
      case "close":
        return void promises.push(connection.close());
    }
  }

  #listen(): void {
    if (this.harness.connection.state !== "ready") return;
    const listener = new RecordingListener();
    this.harness.connection.subscribeThread(`thread-${this.listeners.length}`, listener);
    this.listeners.push(listener);
  }
}

t.test("a connection that is closed has answered everybody and dials no more", async (t) => {
  const { seed, runs } = planFuzz(t, 1_000);
  const property = fc.asyncProperty(connectionSteps, async (steps) => {
    const scene = new ConnectionScene(t);
    const { harness, listeners, promises } = scene;
    for (const step of steps) {
      await scene.take(step);
      // Whoever is refused hears it in the test's own time.
      for (const promise of promises) promise.catch(() => {});
    }
    await harness.connection.close();
    await settleAll(promises, "calls and waits");
    const dials = harness.peers.length;
    await turnLoop(10);
    if (harness.peers.length !== dials) throw new Error("it dialled after its end");
    if (harness.connection.state !== "closed") throw new Error(`it is ${harness.connection.state}`);
    if (harness.peers.some(({ isOpen }) => isOpen)) throw new Error("a wire is still open");
    const losses = listeners.map((listener) => listener.losses.length);
    if (losses.some((count) => count !== 1)) throw new Error(`losses heard of: ${losses.join()}`);
  });
  await fc.assert(property, { seed, numRuns: runs });
  t.pass("all were closed");
});

const ends = ["close", "close", "destroy"] as const;
const serverSteps = fc.array(fc.constantFrom("start", "let a while pass", ...ends), { maxLength: 6 });

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", () => resolve(true));
  });
}

t.test("a listener that was ended, at whatever moment, listens no more", async (t) => {
  const { seed, runs } = planFuzz(t, 100);
  const property = fc.asyncProperty(serverSteps, async (steps) => {
    const server = new CodexNativeApiServer(quickServerOptions());
    const starts: Promise<number>[] = [];
    const stops: Promise<void>[] = [];
    for (const step of ["start", ...steps]) {
      if (step === "start") starts.push(server.start().then(({ port }) => port));
      else if (step === "close") stops.push(server.close({ graceMs: 0 }));
      else if (step === "destroy") stops.push(server.destroy());
      else await turnLoop(3);
      for (const promise of [...starts, ...stops]) promise.catch(() => {});
    }
    stops.push(server.destroy());
    await settleAll([...starts, ...stops], "starts and stops");
    for (const stop of stops) await stop;
    for (const outcome of await Promise.allSettled(starts)) {
      if (outcome.status === "fulfilled" && !(await isRefused(outcome.value)))
        throw new Error("it still listens");
    }
  });
  await fc.assert(property, { seed, numRuns: runs });
  t.pass("none listens");
});

const serviceCalls = ["start", "stop", "destroy", "restart"] as const;
const serviceSteps = fc.array(
  fc.record({ call: fc.constantFrom(...serviceCalls), afterMs: fc.nat(700) }, { noNullPrototype: true }),
  { minLength: 1, maxLength: 4 },
);

t.test(
  "a service that is started and stopped at any moment, with Codex coming up, ends whole and starts again",
  async (t) => {
    const { seed, runs } = planFuzz(t, 3);
    const property = fc.asyncProperty(serviceSteps, async (steps) => {
      // Its teardowns are this run's, and refuse every process that is left.
      const ends: (() => unknown)[] = [];
      const { service } = await startServiceHarness(
        { teardown: (end) => void ends.unshift(() => end()) },
        { login: "provider" },
      );
      try {
        const promises: Promise<unknown>[] = [];
        for (const { call, afterMs } of steps) {
          // The moment is what is tried here, and not a time to wait for something.
          await new Promise((resolve) => setTimeout(resolve, afterMs));
          promises.push(service[call]());
        }
        await settleAll(promises, "starts and stops");
        for (const promise of promises) await promise;
        const { url } = await service.start();
        if (url === null) throw new Error("it did not start");
        await pollUntil(async () => (await fetch(`${url}/readyz`)).status === 200, deadlineMs);
      } finally {
        for (const end of ends) await end();
      }
    });
    await fc.assert(property, { seed, numRuns: runs, endOnFailure: true });
    t.pass("all ended whole");
  },
);

const runtimeSteps = fc.array(
  fc.record({ call: fc.constantFrom("close", "destroy"), afterMs: fc.nat(900) }, { noNullPrototype: true }),
  { minLength: 1, maxLength: 3 },
);

t.test("a runtime that is ended while it starts leaves no process", async (t) => {
  const { seed, runs } = planFuzz(t, 6);
  const property = fc.asyncProperty(runtimeSteps, async (steps) => {
    const ends: (() => unknown)[] = [];
    const { runtime } = await createRuntimeHarness({ teardown: (end) => void ends.unshift(() => end()) });
    try {
      const promises: Promise<unknown>[] = [runtime.start()];
      for (const { call, afterMs } of steps) {
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        promises.push(runtime[call]());
      }
      await settleAll(promises, "the start and its ends");
    } finally {
      // The harness's own end, which refuses what is left.
      for (const end of ends) await end();
    }
  });
  await fc.assert(property, { seed, numRuns: runs, endOnFailure: true });
  t.pass("none left any");
});
