import t from "tap";
import { UpstreamConnections } from "../../../../src/main/turns/admission/upstream-connections.js";

function create({ most = 8, perSecond = 0 }: { most?: number | null; perSecond?: number } = {}) {
  const state = { nowMs: 0, held: 0, rooms: 0 };
  const changes: number[] = [];
  const connections = new UpstreamConnections({
    most: () => most,
    perSecond,
    held: () => state.held,
    now: () => state.nowMs,
    onRoom: () => {
      state.rooms += 1;
    },
    onChange: (bound) => changes.push(bound),
  });
  t.teardown(() => connections.close());
  return { connections, state, changes };
}

t.test("there is room up to the bound, and always where there is none", async (t) => {
  const { connections, state } = create();
  state.held = 7;
  t.equal(connections.hasRoom, true);
  state.held = 8;
  t.equal(connections.hasRoom, false);
  const unbounded = create({ most: null, perSecond: 1 });
  unbounded.state.held = 1_000;
  unbounded.connections.noteRefused();
  t.ok(unbounded.connections.hasRoom && unbounded.connections.isPaceKept);
  t.strictSame(unbounded.connections.health(), { held: 0, bound: null, refused: 1 });
});

t.test(
  "a refusal lowers the bound to less than was held, a burst of them once, and time raises it again",
  async (t) => {
    const { connections, state, changes } = create();
    state.held = 6;
    for (let refusals = 0; refusals < 5; refusals += 1) connections.noteRefused();
    t.strictSame(connections.health(), { held: 6, bound: 5, refused: 5 });
    state.nowMs = 29_000;
    t.equal(connections.health().bound, 5);
    state.nowMs = 61_000;
    t.equal(connections.health().bound, 7);
    state.nowMs = 600_000;
    t.equal(connections.health().bound, 8, "never more than was set");
    t.strictSame(changes, [5, 6, 7, 8]);
  },
);

t.test(
  "two may always be held, and where these are refused for good their number is not what is wrong",
  async (t) => {
    const { connections, state } = create();
    const refuse = (times: number): number | null => {
      for (let refusals = 0; refusals < times; refusals += 1) {
        state.nowMs += 1_000;
        connections.noteRefused();
      }
      return connections.health().bound;
    };
    t.equal(refuse(3), 2);
    t.equal(refuse(1), 8, "a proxy without WebSockets, say: turns go by plain requests");
    t.equal(refuse(100), 8);
    state.nowMs += 600_000;
    state.held = 5;
    t.equal(refuse(1), 4, "it may have been something else");
  },
);

t.test("new ones are paced, and whoever waits hears when the next may open", async (t) => {
  const { connections, state } = create({ perSecond: 4 });
  let opened = 0;
  for (; connections.isPaceKept; opened += 1) connections.noteOpened();
  t.equal(opened, 4);
  state.nowMs = 250;
  t.equal(connections.isPaceKept, true);
  connections.noteOpened();
  t.equal(connections.isPaceKept, false);
  state.nowMs = 60_000;
  for (opened = 0; connections.isPaceKept; opened += 1) connections.noteOpened();
  t.equal(opened, 4, "what was not used is not saved up");
  while (state.rooms === 0) await new Promise((resolve) => setTimeout(resolve, 20));
});
