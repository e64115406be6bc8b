/** An answer that breaks off before its caller has seen any of it is made again, whole. */
import t, { type Test } from "tap";
import { ScriptedAppServer, speak, type TurnScript } from "../support/scripted-app-server/index.js";
import { startServiceHarness } from "../support/service-harness.js";

/** All but the end of the turn, and then the wire. */
const breakOff: TurnScript = (turn) => {
  turn.message("half an answer");
  setImmediate(() => turn.client.socket.destroy());
};

async function start(t: Test) {
  const appServer = await ScriptedAppServer.start(t);
  const harness = await startServiceHarness(t, { env: { CODEX_NATIVE_API_APP_SERVER: appServer.url } });
  await harness.untilReady();
  appServer.queueTurn(breakOff);
  appServer.queueTurn(speak("a whole answer"));
  return { ...harness, appServer };
}

t.test("a response as JSON is made again, and holds nothing of the first attempt", async (t) => {
  const { client, appServer } = await start(t);
  const response = await client.responses.create({ input: "hello" });
  t.equal(response.output_text, "a whole answer");
  t.equal(response.output.length, 1);
  t.equal(response.usage?.total_tokens, 12);
  t.equal(appServer.countCalls("turn/start"), 2);
});

t.test("so is a completion", async (t) => {
  const { client, appServer } = await start(t);
  const completion = await client.chat.completions.create({
    model: "scripted-model",
    messages: [{ role: "user", content: "hello" }],
  });
  t.equal(completion.choices[0]?.message.content, "a whole answer");
  t.equal(completion.usage?.total_tokens, 12);
  t.equal(appServer.countCalls("turn/start"), 2);
});

t.test("a stream that has shown half an answer ends with an error", async (t) => {
  const { client, appServer } = await start(t);
  const types: string[] = [];
  for await (const event of await client.responses.create({ input: "hello", stream: true })) {
    types.push(event.type);
  }
  t.equal(types.at(-1), "response.failed");
  t.equal(appServer.countCalls("turn/start"), 1);
});
