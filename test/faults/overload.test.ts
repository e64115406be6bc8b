import t from "tap";
import { attachRuntime, overloaded, runTurn } from "../support/scripted-app-server/index.js";

const { appServer, runtime } = await attachRuntime(t);

for (const method of ["thread/start", "thread/inject_items", "turn/start"]) {
  t.test(`an app-server too busy for ${method} is asked again, and the turn completes`, async (t) => {
    let refusals = 0;
    appServer.answer(method, (call) => {
      refusals += 1;
      if (refusals === 3) appServer.answer(method, null);
      return overloaded(call);
    });
    t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
    t.equal(refusals, 3);
  });

  t.test(`an app-server too busy for ${method} for ever: a typed error, and recovery`, async (t) => {
    appServer.answer(method, overloaded);
    t.match(await runTurn(runtime), { end: "server_overloaded", streamed: "" });
    t.match(runtime.health().queue, { depth: 0, running: 0 });
    appServer.answer(method, null);
    t.match(await runTurn(runtime), { end: "completed" });
  });
}
