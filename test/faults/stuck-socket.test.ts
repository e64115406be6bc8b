import t from "tap";
import { attachRuntime, runTurn } from "../support/scripted-app-server/index.js";

/** Long enough for a second try after the wire was found dead, in milliseconds. */
const idleTimeoutMs = 6_000;
const megabyte = 1024 * 1024;

t.test(
  "an app-server that stops reading: what had been shown ends typed, the rest goes on over a new connection",
  { timeout: 60_000 },
  async (t) => {
    const { appServer, runtime } = await attachRuntime(t, { turns: { idleTimeoutMs } });
    let talk: NodeJS.Timeout | undefined;
    t.teardown(() => clearInterval(talk));
    const deaf = new Promise<void>((resolve) => {
      appServer.queueTurn((turn) => {
        turn.itemStarted();
        turn.delta("half");
        // It goes on talking, so that its silence gives nothing away.
        talk = setInterval(() => turn.delta("."), 200);
        turn.client.socket.pause();
        resolve();
      });
    });
    const first = runTurn(runtime);
    await deaf;
    const before = process.memoryUsage().rss;
    const others = Array.from({ length: 24 }, () => runTurn(runtime, "x".repeat(megabyte)));
    const seen = await Promise.all(others);
    const grownBy = (process.memoryUsage().rss - before) / megabyte;
    t.match(await first, { end: "native_runtime_unavailable", streamed: /^half/ });
    t.same(
      seen.map(({ end }) => end),
      seen.map(() => "completed"),
      "those that had shown nothing are run on the next connection",
    );
    t.equal(appServer.connections, 2);
    t.ok(grownBy < 400, `memory grew by ${Math.round(grownBy)} MB with 24 MB to say`);
    t.match(runtime.health().queue, { depth: 0, running: 0 });
  },
);
