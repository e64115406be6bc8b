/** What a host hands in and JSON has no form for: its own turn is refused, and the next one runs. */
import t, { type Test } from "tap";
import { CodexNativeApiError } from "../../src/main/errors.js";
import type { IsolatedTurnRequest, ToolOutput } from "../../src/main/index.js";
import type { CodexNativeRuntime } from "../../src/main/runtime/runtime.js";
import { userMessage } from "../support/runtime-harness.js";
import { attachRuntime, runTurn } from "../support/scripted-app-server/index.js";

const circle: Record<string, unknown> = {};
circle.self = circle;

/** Each under the key `bad`, since some are properties of the object they are in. */
const parts: readonly [what: string, make: () => Record<string, unknown>][] = [
  ["a BigInt", () => ({ bad: 10n })],
  ["a function", () => ({ bad: () => 1 })],
  ["a symbol", () => ({ bad: Symbol("no") })],
  ["a circle", () => ({ bad: circle })],
  ["a toJSON that throws", () => ({ bad: { toJSON: fail } })],
  ["a getter that throws", () => Object.defineProperty({}, "bad", { get: fail, enumerable: true })],
];

function fail(): never {
  throw new Error("thrown by the host's object");
}

type Part = Record<string, unknown>;

const places: readonly [field: string, put: (part: Part) => Partial<IsolatedTurnRequest>][] = [
  ["items[0]", (part) => ({ items: [{ ...userMessage("hello"), extra: part }] })],
  ["outputSchema", (part) => ({ outputSchema: part })],
  ["tools", (part) => ({ tools: [{ name: "f", description: "", parameters: part }] })],
];

async function codeOf(turn: Promise<unknown>): Promise<unknown> {
  return turn.then(
    () => "it ran",
    (error: unknown) => (error instanceof CodexNativeApiError ? error.code : error),
  );
}

/** One turn at a time can start and run: whatever is left behind is seen. */
const oneAtATime = { admission: { startGate: 1, maxConcurrentTurns: 1 } };

async function expectNextTurn(t: Test, runtime: CodexNativeRuntime): Promise<void> {
  t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
  t.match(runtime.health().queue, { depth: 0, running: 0 });
}

for (const spareThreads of [0, 4]) {
  t.test(
    `a request that is no JSON is refused, and the next turn runs (spares: ${spareThreads})`,
    async (t) => {
      const { appServer, runtime } = await attachRuntime(t, { ...oneAtATime, turns: { spareThreads } });
      const items = [userMessage("hello")];
      for (const [field, put] of places) {
        for (const [what, make] of parts) {
          const turn = runtime.runIsolatedTurn({ items, ...put(make()) });
          const error = await turn.then(
            () => null,
            (refusal: unknown) => refusal,
          );
          t.ok(error instanceof CodexNativeApiError, `${what} in ${field}`);
          t.match(error, {
            code: "invalid_request",
            param: field === "items[0]" ? /^items\[0\]/ : RegExp(`^${field}`),
          });
          await expectNextTurn(t, runtime);
        }
      }
      t.equal(appServer.connections, 1);
      t.match(runtime.health().workers, [{ reconnects: 0 }], "no worker was lost over it");
    },
  );
}

t.test("a request whose own fields cannot be read is refused", async (t) => {
  const { runtime } = await attachRuntime(t, oneAtATime);
  for (const field of ["items", "instructions", "model", "caller", "tools"]) {
    const request = Object.defineProperty({ items: [userMessage("hello")] }, field, {
      get: fail,
      enumerable: true,
    });
    t.equal(await codeOf(runtime.runIsolatedTurn(request)), "invalid_request", field);
    await expectNextTurn(t, runtime);
  }
});

t.test("a chain is refused what is no JSON, and goes on with the next request", async (t) => {
  const { appServer, runtime } = await attachRuntime(t, oneAtATime);
  const items = [userMessage("hello")];
  let source = await runtime.runIsolatedTurn({ items, keepThread: true });
  for (const [what, make] of parts) {
    const bad = { items: [{ ...userMessage("go on"), extra: make() }], keepThread: true };
    const refused = await codeOf(runtime.continueThread(source, bad));
    t.equal(refused, "invalid_request", what);
    const good = await runtime.continueThread(source, { items, keepThread: true });
    if (good === null) {
      // What reached the worker has cost the thread: the caller replays.
      source = await runtime.runIsolatedTurn({ items, keepThread: true });
    } else source = good;
    await expectNextTurn(t, runtime);
  }
  t.equal(appServer.connections, 1);
});

t.test(
  "outputs of functions that are no text are refused, and the turn waits on for its outputs",
  async (t) => {
    const { appServer, runtime } = await attachRuntime(t, oneAtATime);
    let answered: unknown = null;
    appServer.queueTurn((turn) => {
      void turn.callFunction("f", "c1").then((answer) => {
        answered = answer;
        turn.message("fine");
        turn.completed("fine");
      });
    });
    const tools = [{ name: "f", description: "", parameters: { type: "object" } }];
    const parked = await runtime.runIsolatedTurn({ items: [userMessage("hello")], tools });
    t.match(parked.outcome, { status: "parked", callIds: ["c1"] });
    const badOutputs: unknown[] = [
      { callId: "c1", parts: [{ type: "text", text: 1n }] },
      { callId: "c1", parts: [{ type: "text", text: circle }] },
      { callId: "c1", parts: [{ type: "image", imageUrl: () => 1 }] },
      { callId: Symbol("c1"), parts: [] },
      {
        callId: "c1",
        get parts() {
          return fail();
        },
      },
      { callId: "c1", parts: null },
      null,
    ];
    for (const output of badOutputs) {
      // A host in JavaScript hands in what it likes.
      const outputs = [output] as readonly ToolOutput[];
      t.equal(await codeOf(runtime.continueIsolatedTurn(parked.turnId, outputs)), "invalid_request");
    }
    t.equal(answered, null);
    const result = await runtime.continueIsolatedTurn(parked.turnId, [
      { callId: "c1", parts: [{ type: "text", text: "done" }] },
    ]);
    t.match(result?.outcome, { status: "completed" });
    await expectNextTurn(t, runtime);
  },
);

t.test("a host's handler that throws ends its own turn with what it threw, at each point", async (t) => {
  const { runtime } = await attachRuntime(t, oneAtATime);
  const thrown = new Error("thrown by the host");
  const throws = () => {
    throw thrown;
  };
  const items = [userMessage("hello")];
  const rejects = () => Promise.reject(thrown);
  for (const handlers of [{ onTurnStarted: throws }, { onEvent: throws }, { onEvent: rejects }]) {
    await t.rejects(runtime.runIsolatedTurn({ items }, handlers), thrown);
    await expectNextTurn(t, runtime);
  }
  const unreadable = Object.defineProperty({}, "onEvent", { get: throws, enumerable: true });
  await t.rejects(runtime.runIsolatedTurn({ items }, unreadable), thrown);
  await expectNextTurn(t, runtime);
});
