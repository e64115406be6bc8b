import t from "tap";
import { attachRuntime, runTurn, type ScriptedClient, speak } from "../support/scripted-app-server/index.js";
import { pollUntil } from "../support/service-harness.js";

const { appServer, runtime } = await attachRuntime(t);

const garbage: readonly [what: string, send: (client: ScriptedClient) => void][] = [
  ["text that is not JSON", ({ webSocket }) => webSocket.send("} not json {")],
  ["JSON that is not JSON-RPC", ({ webSocket }) => webSocket.send('[1, "two", null]')],
  ["an empty frame", ({ webSocket }) => webSocket.send("")],
  ["bytes that are not text", ({ webSocket }) => webSocket.send(Buffer.from([0xff, 0xfe, 0x00, 0x80]))],
  ["an answer to nothing", ({ send }) => send({ id: 987_654_321, result: {} })],
  ["a notification of its own making", ({ send }) => send({ method: "thread/surprise", params: { a: 1 } })],
  ["a notification without its keys", ({ send }) => send({ method: "turn/completed", params: {} })],
];

for (const [what, send] of garbage) {
  t.test(`${what} in the middle of a turn costs nothing`, async (t) => {
    const connections = appServer.connections;
    appServer.queueTurn((turn) => {
      turn.started();
      turn.itemStarted();
      turn.delta("fi");
      send(turn.client);
      turn.delta("ne");
      turn.rawItem("fine");
      turn.modelCallCompleted();
      turn.completed("fine");
    });
    t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
    t.equal(appServer.connections, connections);
  });
}

/** What makes the connection itself worthless. */
const ruin: readonly [what: string, send: (client: ScriptedClient) => void][] = [
  [
    "nothing but garbage",
    ({ webSocket }) => {
      for (let count = 0; count < 100; count += 1) webSocket.send("garbage");
    },
  ],
  // The head of a text frame of 1 GiB, which nobody waits for.
  [
    "a frame over the bound",
    ({ socket }) => socket.write(Buffer.from([0x81, 127, 0, 0, 0, 0, 0x40, 0, 0, 0])),
  ],
  ["bytes that are no frame", ({ socket }) => socket.write(Buffer.alloc(64, 0xff))],
];

for (const [what, send] of ruin) {
  t.test(`${what}: the connection is replaced, and a turn that had shown nothing is run again`, async (t) => {
    const connections = appServer.connections;
    appServer.queueTurn((turn) => send(turn.client));
    t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
    t.equal(appServer.connections, connections + 1);
  });

  t.test(`${what} after half an answer: a typed error, and the next turn succeeds`, async (t) => {
    let breakDown = () => {};
    appServer.queueTurn((turn) => {
      breakDown = () => send(turn.client);
      turn.itemStarted();
      turn.delta("half");
    });
    // Once the caller has the half: a turn that had shown nothing would be run again.
    t.match(await runTurn(runtime, "hello", () => breakDown()), {
      end: "native_runtime_unavailable",
      streamed: "half",
    });
    await pollUntil(() => runtime.readiness.ready);
    appServer.queueTurn(speak("recovered"));
    t.match(await runTurn(runtime), { end: "completed", streamed: "recovered" });
  });
}

t.test("an app-server that answers every turn with garbage gets a bounded number of tries", async (t) => {
  // With a backoff of its own: the losses above have made that of the others long.
  const { appServer, runtime } = await attachRuntime(t);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    appServer.queueTurn(({ client }) => client.socket.write(Buffer.alloc(64, 0xff)));
  }
  t.match(await runTurn(runtime), { end: "native_runtime_unavailable", streamed: "" });
  t.equal(appServer.countCalls("turn/start"), 3);
  await pollUntil(() => runtime.readiness.ready);
  t.match(await runTurn(runtime), { end: "completed" });
});

t.test("requests of the app-server's that nobody knows are answered, and the turn goes on", async (t) => {
  let answers: unknown[] = [];
  appServer.queueTurn((turn) => {
    const asked = ["thread/surprise", "item/commandExecution/requestApproval"].map((method) =>
      turn.client.ask(method, { threadId: turn.threadId, turnId: turn.turnId, itemId: "item-1" }),
    );
    void Promise.all(asked).then((given) => {
      answers = given;
      speak("fine")(turn);
    });
  });
  t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
  t.match(answers, [{ error: { code: -32601 } }, { result: { decision: "decline" } }]);
});
