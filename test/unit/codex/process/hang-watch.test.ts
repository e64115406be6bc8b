import t from "tap";
import { HangWatch } from "../../../../src/main/codex/process/hang-watch.js";

function watch(times: { readonly silentMs: number; readonly connectMs: number }) {
  const state = { answering: false, atFault: true, hung: 0 };
  const hangWatch = new HangWatch({
    times: () => times,
    isAnswering: () => state.answering,
    isAppServerAtFault: () => state.atFault,
    onHung: () => {
      state.hung += 1;
    },
  });
  const untilHung = async () => {
    while (state.hung === 0) await pause(5);
  };
  return { hangWatch, state, untilHung };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

t.test("an app-server that answers no worker for `silentMs` is hung", async (t) => {
  const { hangWatch, state, untilHung } = watch({ silentMs: 5, connectMs: 60_000 });
  hangWatch.check();
  await untilHung();
  t.equal(state.hung, 1);
  hangWatch.stop();
});

t.test("an answer in time clears the watch, and the next silence has its full time", async (t) => {
  const { hangWatch, state } = watch({ silentMs: 2_000, connectMs: 60_000 });
  hangWatch.check();
  await pause(1_200);
  state.answering = true;
  hangWatch.check();
  state.answering = false;
  hangWatch.check();
  await pause(1_200);
  t.equal(state.hung, 0, "2,400 ms after the first silence, 1,200 ms after the second");
  hangWatch.stop();
});

t.test("a new app-server gets the time to connect, even if the old one was silent", async (t) => {
  const { hangWatch, state } = watch({ silentMs: 20, connectMs: 60_000 });
  hangWatch.check();
  hangWatch.expectConnection();
  hangWatch.check();
  await pause(100);
  t.equal(state.hung, 0);
  hangWatch.stop();
});

t.test("an answer that is read only after the deadline still counts", async (t) => {
  const { hangWatch, state } = watch({ silentMs: 5, connectMs: 60_000 });
  hangWatch.check();
  const until = performance.now() + 50;
  // Block the event loop, so that the timer fires before the message with the answer is read.
  while (performance.now() < until);
  setImmediate(() => {
    state.answering = true;
  });
  await pause(30);
  t.equal(state.hung, 0);
  hangWatch.stop();
});

t.test("an app-server that is not at fault is not reported as hung", async (t) => {
  const { hangWatch, state, untilHung } = watch({ silentMs: 5, connectMs: 5 });
  state.atFault = false;
  hangWatch.check();
  await pause(30);
  t.equal(state.hung, 0);
  state.atFault = true;
  await untilHung();
  hangWatch.stop();
});
