/** Who holds connections to the backend, and who gives one up for a turn. */
import { pino } from "pino";
import t from "tap";
import {
  NativeConnections,
  type NativeConnectionsContext,
} from "../../../../src/main/turns/threads/native-connections.js";

interface Held {
  running: number;
  waiting: number;
  /** Turns that wait for a connection. */
  wanted: number;
  parked: number;
  threads: number;
  spares: number;
  sparesLeaving: number;
  threadsLeaving: number;
}

function create(bound: number, now: Partial<Held>) {
  const held: Held = {
    ...{
      running: 0,
      waiting: 0,
      wanted: 1,
      parked: 0,
      threads: 0,
      spares: 0,
      sparesLeaving: 0,
      threadsLeaving: 0,
    },
    ...now,
  };
  const givenUp: string[] = [];
  const giveUp = (what: "spares" | "threads" | "parked"): boolean => {
    if (held[what] === 0) return false;
    held[what] -= 1;
    held.threadsLeaving += 1;
    givenUp.push(what);
    return true;
  };
  const context: NativeConnectionsContext = {
    running: () => held.running,
    waiting: () => held.waiting,
    wanted: () => held.wanted,
    parked: {
      get size() {
        return held.parked;
      },
      abandonOldest: () => giveUp("parked"),
    },
    threads: {
      get size() {
        return held.threads;
      },
      releaseOldest: () => giveUp("threads"),
    },
    spares: {
      get held() {
        return held.spares + held.sparesLeaving;
      },
      get leaving() {
        return held.sparesLeaving;
      },
      discardOne: () => giveUp("spares"),
    },
    slots: {
      get leavingThreads() {
        return held.threadsLeaving;
      },
    },
    now: () => 0,
    onRoom: () => {},
    logger: pino({ enabled: false }),
  };
  const connections = new NativeConnections({ most: () => bound, perSecond: 0 }, context);
  return { connections, held, givenUp };
}

t.test("whoever has a native thread holds a connection, also while it waits for its turn", async (t) => {
  const { connections } = create(32, { running: 1, waiting: 2, parked: 3, threads: 4, spares: 5 });
  t.equal(connections.health().held, 15);
});

t.test("spares give way first, then idle chains, at last parked turns, one for each turn", async (t) => {
  const { connections, held, givenUp } = create(3, { parked: 1, threads: 1, spares: 1 });
  for (let turn = 0; turn < 3; turn += 1) {
    t.notOk(connections.makeRoom());
    t.notOk(connections.makeRoom(), "the one that was given up is on its way out");
    held.threadsLeaving -= 1;
    t.ok(connections.makeRoom());
    held.running += 1;
  }
  t.same(givenUp, ["spares", "threads", "parked"]);
  t.notOk(connections.makeRoom(), "all others run");
});

t.test("a spare that is given up while Codex sets it up is waited for", async (t) => {
  const { connections, givenUp } = create(2, { threads: 1, sparesLeaving: 1 });
  t.notOk(connections.makeRoom());
  t.same(givenUp, []);
});

t.test("as many give theirs up as turns wait for one", async (t) => {
  const { connections, givenUp } = create(8, { parked: 8, wanted: 3 });
  t.notOk(connections.makeRoom());
  t.same(givenUp, ["parked", "parked", "parked"]);
  t.notOk(connections.makeRoom());
  t.equal(givenUp.length, 3);
});
