import t from "tap";
import { CallTimeoutError, RpcError } from "../../../../src/workers/app-server/errors.js";
import { LivenessProbe } from "../../../../src/workers/app-server/liveness-probe.js";
import { FaultLog } from "./support/collect-faults.js";

const options = { idleMs: 2, silentMs: 4, timeoutMs: 7, now: () => performance.now() };

t.test("a peer that gives no sign of life is dropped, once", async (t) => {
  const faults = new FaultLog();
  const asked: number[] = [];
  const error = await new Promise<Error>((resolve) => {
    const peer = {
      lastInboundAt: performance.now(),
      ask: async (timeoutMs: number) => {
        asked.push(timeoutMs);
        throw new CallTimeoutError("thread/loaded/list", timeoutMs);
      },
      noteAnswering: () => {},
      drop: resolve,
    };
    new LivenessProbe(peer, { ...options, countFault: faults.count }).start();
  });
  t.match(error, { code: "transport_failed", message: "the app-server gave no sign of life for 7 ms" });
  t.strictSame(asked, [7]);
  t.strictSame(faults.counts, { peer_hung: 1 });
});

t.test("any answer is a sign of life, and the peer is asked again after the next silence", async (t) => {
  const outcomes = [
    () => Promise.resolve({}),
    () => Promise.reject(new RpcError("thread/loaded/list", -32001, "busy", null)),
  ];
  let asked = 0;
  await new Promise<void>((resolve) => {
    const peer = {
      lastInboundAt: performance.now(),
      ask: () => {
        asked += 1;
        if (asked === 5) resolve();
        return outcomes[asked % 2]?.() ?? Promise.resolve();
      },
      noteAnswering: () => {},
      drop: () => t.fail("it answered"),
    };
    const probe = new LivenessProbe(peer, { ...options, countFault: () => {} });
    t.teardown(() => probe.stop());
    probe.start();
  });
  t.equal(asked, 5);
});

t.test("other traffic is a sign of life though the question itself waits", async (t) => {
  await new Promise<void>((resolve) => {
    let asked = 0;
    const peer = {
      lastInboundAt: 0,
      ask: async (timeoutMs: number) => {
        asked += 1;
        if (asked === 2) resolve();
        // Read from the socket only after the deadline's timer fired, as after a suspended machine.
        setImmediate(() => {
          peer.lastInboundAt = performance.now();
        });
        throw new CallTimeoutError("thread/loaded/list", timeoutMs);
      },
      noteAnswering: () => {},
      drop: () => t.fail("it spoke"),
    };
    const probe = new LivenessProbe(peer, { ...options, countFault: () => {} });
    t.teardown(() => probe.stop());
    probe.start();
  });
});

t.test("a peer that speaks is not asked", async (t) => {
  let checks = 0;
  await new Promise<void>((resolve) => {
    const peer = {
      get lastInboundAt() {
        checks += 1;
        if (checks === 10) resolve();
        return performance.now();
      },
      ask: () => Promise.reject(t.fail("there was no silence")),
      noteAnswering: () => {},
      drop: () => t.fail("it spoke"),
    };
    const probe = new LivenessProbe(peer, { ...options, countFault: () => {} });
    t.teardown(() => probe.stop());
    probe.start();
  });
});

t.test("a suspected peer is asked at once, and only its answer counts", async (t) => {
  const asked: string[] = [];
  const error = await new Promise<Error>((resolve) => {
    const peer = {
      // It never stops to talk.
      get lastInboundAt() {
        return performance.now();
      },
      ask: async (timeoutMs: number) => {
        asked.push("asked");
        probe.markSuspect();
        throw new CallTimeoutError("thread/loaded/list", timeoutMs);
      },
      noteAnswering: () => {},
      drop: resolve,
    };
    const probe = new LivenessProbe(peer, { ...options, idleMs: 60_000, countFault: () => {} });
    probe.start();
    probe.markSuspect();
  });
  t.match(error, { code: "transport_failed" });
  t.strictSame(asked, ["asked"], "one suspicion at a time");
});

t.test("a suspected peer that answers is left alone until the next silence", async (t) => {
  let asked = 0;
  await new Promise<void>((resolve) => {
    const peer = {
      get lastInboundAt() {
        if (asked > 0) setImmediate(resolve);
        return performance.now();
      },
      ask: async () => {
        asked += 1;
      },
      noteAnswering: () => {},
      drop: () => t.fail("it answered"),
    };
    const probe = new LivenessProbe(peer, { ...options, countFault: () => {} });
    t.teardown(() => probe.stop());
    probe.start();
    probe.markSuspect();
  });
  t.equal(asked, 1);
});

t.test("a stopped probe does nothing, even with a question open", async (t) => {
  let fail = (_error: Error) => {};
  const asked = new Promise<void>((resolve) => {
    const peer = {
      lastInboundAt: 0,
      ask: () =>
        new Promise<never>((_resolve, reject) => {
          fail = reject;
          probe.stop();
          resolve();
        }),
      noteAnswering: () => {},
      drop: () => t.fail("it was stopped"),
    };
    const probe = new LivenessProbe(peer, { ...options, countFault: () => t.fail("it was stopped") });
    probe.start();
  });
  await asked;
  fail(new CallTimeoutError("thread/loaded/list", 7));
  // The probe gives a late answer one round of the event loop.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
});

t.test("a peer that answers late is called silent, and then answering; it is not dropped", async (t) => {
  const said: boolean[] = [];
  await new Promise<void>((resolve) => {
    let answer = () => {};
    const peer = {
      lastInboundAt: 0,
      ask: () => (said.length > 0 ? Promise.resolve() : new Promise<void>((answered) => (answer = answered))),
      noteAnswering: (answers: boolean) => {
        said.push(answers);
        if (answers) resolve();
        else answer();
      },
      drop: () => t.fail("it answered"),
    };
    const probe = new LivenessProbe(peer, { ...options, timeoutMs: 60_000, countFault: () => {} });
    t.teardown(() => probe.stop());
    probe.start();
  });
  t.strictSame(said, [false, true]);
});

t.test(
  "an answer that was asked for before the suspicion proves nothing: the peer is asked again",
  async (t) => {
    let asked = 0;
    await new Promise<void>((resolve) => {
      const peer = {
        lastInboundAt: performance.now(),
        ask: async () => {
          asked += 1;
          if (asked === 1) probe.markSuspect();
        },
        noteAnswering: () => resolve(),
        drop: () => t.fail("it answered"),
      };
      const probe = new LivenessProbe(peer, { ...options, idleMs: 60_000, countFault: () => {} });
      t.teardown(() => probe.stop());
      probe.markSuspect();
    });
    t.equal(asked, 2);
  },
);

t.test(
  "whether the peer has answered since a time is known from a question of after it, else asked",
  async (t) => {
    let now = 0;
    let asked = 0;
    const peer = {
      lastInboundAt: 0,
      ask: async () => {
        asked += 1;
        if (asked === 2) throw new RpcError("thread/loaded/list", -32001, "busy", null);
      },
      noteAnswering: () => {},
      drop: () => t.fail("it answered"),
    };
    const probe = new LivenessProbe(peer, {
      idleMs: 60_000,
      silentMs: 5,
      timeoutMs: 7,
      now: () => now,
      countFault: () => {},
    });
    t.equal(probe.answeredAt, Number.NEGATIVE_INFINITY);
    now = 10;
    t.ok(await probe.answersSince(5));
    t.equal(probe.answeredAt, 10, "the time of the question, not of the answer");
    t.ok(await probe.answersSince(10));
    t.equal(asked, 1);
    now = 20;
    t.strictSame(await Promise.all([probe.answersSince(11), probe.answersSince(20)]), [true, true]);
    t.equal(asked, 2, "both wait for one question, and an error is an answer");
    probe.stop();
    t.notOk(await probe.answersSince(21), "a stopped probe knows nothing new");
  },
);

t.test(
  "a peer that answers no question is dropped if it is silent, and left alone while it talks",
  async (t) => {
    for (const isTalking of [true, false]) {
      let now = 0;
      let drops = 0;
      const peer = {
        lastInboundAt: 0,
        ask: async (timeoutMs: number) => {
          now += timeoutMs;
          if (isTalking) peer.lastInboundAt = now;
          throw new CallTimeoutError("thread/loaded/list", timeoutMs);
        },
        noteAnswering: () => {},
        drop: () => {
          drops += 1;
        },
      };
      const probe = new LivenessProbe(peer, {
        idleMs: 60_000,
        silentMs: 5,
        timeoutMs: 7,
        now: () => now,
        countFault: () => {},
      });
      t.notOk(await probe.answersSince(0));
      t.equal(drops, isTalking ? 0 : 1);
      probe.stop();
    }
  },
);
