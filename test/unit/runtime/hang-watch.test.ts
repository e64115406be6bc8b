import t from "tap";
import { HangWatch } from "../../../src/main/runtime/hang-watch.js";

function watch(times: { readonly silentMs: number; readonly connectMs: number }) {
  const state = { answering: false, toBlame: true, hung: 0 };
  const hangWatch = new HangWatch({
    times: () => times,
    isAnswering: () => state.answering,
    isToBlame: () => state.toBlame,
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

t.test("an app-server that answers nobody for the time given is hung", async (t) => {
  const { hangWatch, state, untilHung } = watch({ silentMs: 5, connectMs: 60_000 });
  hangWatch.look();
  await untilHung();
  t.equal(state.hung, 1);
  hangWatch.stop();
});

t.test(
  "a worker that is answered in time clears the watch, and the next silence has its whole time",
  async (t) => {
    const { hangWatch, state } = watch({ silentMs: 2_000, connectMs: 60_000 });
    hangWatch.look();
    await pause(1_200);
    state.answering = true;
    hangWatch.look();
    state.answering = false;
    hangWatch.look();
    await pause(1_200);
    t.equal(state.hung, 0, "2,400 ms after the first silence, 1,200 ms after the second");
    hangWatch.stop();
  },
);

t.test("a new app-server has time to be connected to, whatever was silent before it", async (t) => {
  const { hangWatch, state } = watch({ silentMs: 20, connectMs: 60_000 });
  hangWatch.look();
  hangWatch.expectConnection();
  hangWatch.look();
  await pause(100);
  t.equal(state.hung, 0);
  hangWatch.stop();
});

t.test("what was read only after the time was up still counts", async (t) => {
  const { hangWatch, state } = watch({ silentMs: 5, connectMs: 60_000 });
  hangWatch.look();
  const until = performance.now() + 50;
  // A blocked event loop: the timer fires before the message that says otherwise.
  while (performance.now() < until);
  setImmediate(() => {
    state.answering = true;
  });
  await pause(30);
  t.equal(state.hung, 0);
  hangWatch.stop();
});

t.test("who is not to blame is not called hung", async (t) => {
  const { hangWatch, state, untilHung } = watch({ silentMs: 5, connectMs: 5 });
  state.toBlame = false;
  hangWatch.look();
  await pause(30);
  t.equal(state.hung, 0);
  state.toBlame = true;
  await untilHung();
  hangWatch.stop();
});
