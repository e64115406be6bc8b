import t from "tap";
import { limits } from "../../src/workers/contract/limits.js";
import { userMessage } from "../support/runtime-harness.js";
import { attachRuntime, runTurn, type ScriptedTurn } from "../support/scripted-app-server/index.js";

const { appServer, runtime } = await attachRuntime(t, { turns: { idleTimeoutMs: 3_000 } });
const weather = { name: "weather", description: "", parameters: { type: "object" } };
const outputs = [{ callId: "call_1", parts: [{ type: "text", text: "sunny" }] }] as const;

/** A turn that waits for the output of a call. */
async function park(afterwards: (turn: ScriptedTurn) => void) {
  const scripted = new Promise<ScriptedTurn>((resolve) => appServer.queueTurn(resolve));
  const parked = runtime.runIsolatedTurn({ items: [userMessage("hello")], tools: [weather] });
  const turn = await scripted;
  const answered = turn.callFunction("weather", "call_1");
  const { outcome, turnId } = await parked;
  t.equal(outcome.status, "parked");
  afterwards(turn);
  return { turn, turnId, answered };
}

function flood(turn: ScriptedTurn, delta: string, times: number): void {
  for (let index = 0; index < times; index += 1) turn.delta(delta);
}

const floods: readonly [what: string, send: (turn: ScriptedTurn) => void][] = [
  ["in number", (turn) => flood(turn, "x", limits.maxHeldNotifications + 10)],
  ["in bytes", (turn) => flood(turn, "x".repeat(64 * 1024), 80)],
];

for (const [what, send] of floods) {
  t.test(
    `a parked turn that brings too much ${what} is ended, and its follow-up finds it gone`,
    async (t) => {
      const interrupts = appServer.countCalls("turn/interrupt");
      const { turn, turnId, answered } = await park(send);
      await appServer.called("turn/interrupt", interrupts + 1);
      turn.message("late");
      turn.interrupted();
      t.match(await answered, { result: { success: false } }, "the call it waited for is given up");
      t.equal(await runtime.continueIsolatedTurn(turnId, outputs, {}), null, "so the history is replayed");
    },
  );
}

t.test("what a parked turn brings within the bound is there when it goes on", async (t) => {
  const { turn, turnId, answered } = await park((turn) => {
    turn.itemStarted();
    flood(turn, "x", 100);
  });
  void answered.then(() => {
    turn.message("x".repeat(100));
    turn.completed("x".repeat(100));
  });
  let streamed = "";
  const result = await runtime.continueIsolatedTurn(turnId, outputs, {
    onEvent: (event) => {
      if (event.type === "text.delta") streamed += event.delta;
    },
  });
  t.equal(result?.outcome.status, "completed");
  t.ok(streamed.startsWith("x".repeat(100)));
});

t.test("a turn whose start Codex never answers, but floods, ends typed", async (t) => {
  appServer.answer("turn/start", ({ params, client }) => {
    const { threadId } = params;
    const item = { itemId: "m", delta: "x".repeat(64 * 1024) };
    for (let index = 0; index < 80; index += 1) {
      client.send({ method: "item/agentMessage/delta", params: { threadId, turnId: "t", ...item } });
    }
    return "silence";
  });
  t.teardown(() => appServer.answer("turn/start", null));
  const error = await runtime.runIsolatedTurn({ items: [userMessage("hello")] }).catch((error) => error);
  t.match(error, { code: "turn_stalled", message: /more of the turn than is kept/ });
});

t.test("the echo of a long history is no flood, however late the start is answered", async (t) => {
  const chunk = "x".repeat(400 * 1024);
  const items = Array.from({ length: 20 }, (_, index) => userMessage(`${index} ${chunk}`));
  appServer.answer("turn/start", ({ params, client }) => {
    const { threadId } = params;
    for (const item of items) {
      client.send({ method: "rawResponseItem/completed", params: { threadId, turnId: "echo", item } });
    }
    appServer.answer("turn/start", null);
    return { error: { code: -32001, message: "Server overloaded" } };
  });
  const result = await runtime.runIsolatedTurn({ items });
  t.equal(result.outcome.status, "completed");
});

t.test("after all that the next turn succeeds", async (t) => {
  t.match(await runTurn(runtime), { end: "completed" });
});
