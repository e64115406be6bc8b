import t from "tap";
import { CodexNativeApiError } from "../../../../src/main/errors.js";
import type { Readiness } from "../../../../src/main/runtime/types.js";
import {
  type AccountRoom,
  Admission,
  type AdmissionOptions,
  unboundedRoom,
} from "../../../../src/main/turns/admission/admission.js";
import { StartGate } from "../../../../src/main/turns/admission/start-gate.js";

const notReady: Readiness = {
  ready: false,
  error: { code: "native_runtime_unavailable", message: "starting" },
};

function createAdmission(
  options: Partial<AdmissionOptions> = {},
  readiness: () => Readiness = () => ({ ready: true }),
  room?: AccountRoom,
) {
  let places = Number.POSITIVE_INFINITY;
  const admission = new Admission<string>(
    { maxConcurrentTurns: 2, maxQueue: 3, queueTimeoutMs: 10_000, ...options },
    readiness,
    () => performance.now(),
    room,
  );
  const findPlace = () => (readiness().ready && places > 0 ? "place" : null);
  return {
    admission,
    ask: (caller = "a", signal?: AbortSignal) => ({ caller, signal, findPlace }),
    setPlaces: (count: number) => (places = count),
  };
}

const code = (error: unknown) => (error instanceof CodexNativeApiError ? error.code : String(error));

t.test("the gate counts each process by itself and gives a place back once", async (t) => {
  const gate = new StartGate(1);
  const place = gate.enter("1");
  t.notOk(gate.hasRoom("1"));
  t.ok(gate.hasRoom("2"));
  place.leave();
  place.leave();
  t.ok(gate.hasRoom("1"));
  gate.enter("1");
  t.notOk(gate.hasRoom("1"));
});

t.test("no more turns run than allowed, and a release lets the next in", async (t) => {
  const { admission, ask } = createAdmission({ maxConcurrentTurns: 1 });
  const first = await admission.acquire(ask());
  const second = admission.acquire(ask());
  t.equal(admission.depth, 1);
  first.release();
  first.release();
  (await second).release();
  t.equal(admission.running, 0);
});

t.test("bounds that grow let in who waits, bounds that shrink take nobody's place", async (t) => {
  const { admission, ask } = createAdmission({ maxConcurrentTurns: 1, maxQueue: 1 });
  const first = await admission.acquire(ask());
  const second = admission.acquire(ask());
  t.equal(code(await admission.acquire(ask()).catch((reason: unknown) => reason)), "queue_full");
  admission.reconfigure({ maxConcurrentTurns: 2, maxQueue: 2, queueTimeoutMs: 10_000 });
  (await second).release();
  const third = await admission.acquire(ask());
  admission.reconfigure({ maxConcurrentTurns: 1, maxQueue: 1, queueTimeoutMs: 10_000 });
  t.equal(admission.running, 2);
  const fourth = admission.acquire(ask());
  first.release();
  t.equal(admission.depth, 1, "it waits until the smaller bound has room");
  third.release();
  (await fourth).release();
});

t.test("a full queue refuses with queue_full and says when to come back", async (t) => {
  const { admission, ask, setPlaces } = createAdmission({ maxQueue: 1 });
  setPlaces(0);
  const waiting = admission.acquire(ask());
  const error = await admission.acquire(ask()).catch((reason: unknown) => reason);
  t.equal(code(error), "queue_full");
  t.ok(error instanceof CodexNativeApiError && error.retryAfterMs !== null);
  setPlaces(1);
  admission.pump();
  (await waiting).release();
});

t.test("who waits too long is refused with queue_timeout", async (t) => {
  const { admission, ask, setPlaces } = createAdmission({ queueTimeoutMs: 5 });
  setPlaces(0);
  t.equal(code(await admission.acquire(ask()).catch((reason: unknown) => reason)), "queue_timeout");
  t.equal(admission.depth, 0);
});

t.test("who waits for a runtime that does not come up is told why", async (t) => {
  const { admission, ask } = createAdmission({ queueTimeoutMs: 5 }, () => notReady);
  t.equal(
    code(await admission.acquire(ask()).catch((reason: unknown) => reason)),
    "native_runtime_unavailable",
  );
});

t.test("who waits for the runtime has the queue's time, as for room", async (t) => {
  let readiness: Readiness = notReady;
  const { admission, ask } = createAdmission({ queueTimeoutMs: 10_000 }, () => readiness);
  const waiting = admission.acquire(ask());
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(admission.depth, 1);
  readiness = { ready: true };
  admission.pump();
  t.equal((await waiting).place, "place");
});

t.test("a caller that goes away gives its place in the queue up at once", async (t) => {
  const { admission, ask, setPlaces } = createAdmission();
  setPlaces(0);
  const abort = new AbortController();
  const waiting = admission.acquire(ask("a", abort.signal)).catch(code);
  abort.abort();
  t.equal(await waiting, "turn_cancelled");
  t.equal(admission.depth, 0);
  t.equal(await admission.acquire(ask("a", abort.signal)).catch(code), "turn_cancelled");
});

t.test("closing refuses who waits and who comes", async (t) => {
  const { admission, ask, setPlaces } = createAdmission();
  setPlaces(0);
  const waiting = admission.acquire(ask()).catch(code);
  admission.close(new CodexNativeApiError("native_runtime_unavailable", "closing"));
  t.equal(await waiting, "native_runtime_unavailable");
  t.equal(await admission.acquire(ask()).catch(code), "native_runtime_unavailable");
});

t.test(
  "a turn that Codex leaves unanswered lets another in beside it, then gives its place back",
  async (t) => {
    const gate = new StartGate(1);
    const place = gate.enter("1");
    place.noteOverdue();
    t.ok(gate.hasRoom("1"));
    const second = gate.enter("1");
    t.notOk(gate.hasRoom("1"));
    place.noteOverdue();
    place.leave();
    t.notOk(gate.hasRoom("1"), "it was given back once");
    second.leave();
    t.ok(gate.hasRoom("1"));
  },
);

t.test("turns that look overdue on a slow machine are a bounded number", async (t) => {
  const gate = new StartGate(2);
  let entered = 0;
  const places = [];
  while (gate.hasRoom("1")) {
    const place = gate.enter("1");
    place.noteOverdue();
    places.push(place);
    entered += 1;
  }
  t.equal(entered, 2 + 2 * 8);
  places[0]?.noteOverdue();
  t.ok(gate.hasRoom("1"));
});

t.test("a search for a place that throws refuses its own turn, and the next one starts", async (t) => {
  const { admission, ask } = createAdmission();
  const fault = new TypeError("Do not know how to serialize a BigInt");
  const findPlace = () => {
    throw fault;
  };
  const refused = admission.acquire({ ...ask(), findPlace }).catch((error: unknown) => error);
  const next = admission.acquire(ask());
  t.equal(await refused, fault);
  t.equal((await next).place, "place");
});

t.test("turns that come at once fill no place of the queue while they could start", async (t) => {
  const { admission, ask } = createAdmission({ maxConcurrentTurns: 3, maxQueue: 1 });
  const asked = Array.from({ length: 5 }, () => admission.acquire(ask()).catch(code));
  t.strictSame([admission.running, admission.depth], [3, 1]);
  t.equal(await asked[4], "queue_full");
  admission.close(new CodexNativeApiError("native_runtime_unavailable", "closing"));
  t.equal(await asked[3], "native_runtime_unavailable");
});

t.test("without a queue, turns run as long as there is room", async (t) => {
  const { admission, ask } = createAdmission({ maxConcurrentTurns: 1, maxQueue: 0 });
  const first = await admission.acquire(ask());
  t.equal(await admission.acquire(ask()).catch(code), "queue_full");
  first.release();
  (await admission.acquire(ask())).release();
  t.equal(admission.capacity, 1);
});

t.test("a full queue makes room for a caller that waits less than the one that filled it", async (t) => {
  const { admission, ask, setPlaces } = createAdmission({ maxQueue: 3 });
  setPlaces(0);
  const flood = ["1", "2", "3"].map(() => admission.acquire(ask("flood")).catch(code));
  const other = admission.acquire(ask("other"));
  t.equal(await flood[2], "queue_full");
  t.equal(admission.depth, 3);
  t.equal(await admission.acquire(ask("flood")).catch(code), "queue_full");
  setPlaces(1);
  admission.pump();
  (await other).release();
  admission.close(new CodexNativeApiError("native_runtime_unavailable", "closing"));
  await Promise.all(flood);
});

t.test("a turn waits for the account's room, and starts by itself when time brings it", async (t) => {
  let hasRoom = false;
  const left: string[] = [];
  const room: AccountRoom = {
    isLimited: true,
    hasRoom: () => hasRoom,
    free: () => 1,
    enter: (model) => ({
      started: () => {},
      overdue: () => {},
      accepted: () => {},
      unrefused: () => {},
      refused: () => {},
      isAlone: () => true,
      leave: () => left.push(model),
    }),
    roomInMs: () => 5,
  };
  const { admission, ask } = createAdmission({}, undefined, room);
  const waiting = admission.acquire({ ...ask(), model: "gpt" });
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(admission.running, 0);
  hasRoom = true;
  const permit = await waiting;
  permit.release();
  permit.release();
  t.same(left, ["gpt"]);
});

t.test(
  "room that comes by time while the queue looks for it is not missed",
  { timeout: 5_000 },
  async (t) => {
    let looks = 0;
    const room: AccountRoom = {
      ...unboundedRoom,
      isLimited: true,
      hasRoom: () => {
        looks += 1;
        return looks > 1;
      },
      roomInMs: () => (looks === 0 ? 1 : null),
    };
    const { admission, ask } = createAdmission({}, undefined, room);
    (await admission.acquire(ask())).release();
    t.equal(looks, 2);
  },
);

t.test("a turn that comes back goes first, past a full queue, and ends with its own error", async (t) => {
  const { admission, ask, setPlaces } = createAdmission({ maxQueue: 1, queueTimeoutMs: 10_000 });
  setPlaces(0);
  const other = admission.acquire(ask());
  const error = new CodexNativeApiError("rate_limit_exceeded", "The account is busy.");
  const returned = { enqueuedAtMs: performance.now(), error, refusals: 1 };
  const back = admission.acquire({ ...ask(), returned });
  setPlaces(1);
  admission.pump();
  const first = await Promise.race([back.then(() => "returned"), other.then(() => "other")]);
  t.equal(first, "returned");
  (await back).release();
  (await other).release();
  setPlaces(0);
  const late = admission.acquire({
    ...ask(),
    returned: { enqueuedAtMs: performance.now() - 20_000, error, refusals: 1 },
  });
  t.equal(await late.catch(code), "rate_limit_exceeded");
});

t.test("a turn without a place does not hold up those that need another one", async (t) => {
  const { admission, ask, setPlaces } = createAdmission({ maxConcurrentTurns: 3 });
  setPlaces(0);
  const lacking = admission.acquire(ask());
  const own = { ...ask(), needs: "worker 1", hasThread: true, findPlace: () => "its own" };
  const going = admission.acquire(own);
  t.equal(admission.waitingWithThread, 1);
  const permit = await going;
  t.equal(permit.place, "its own");
  t.equal(admission.waitingWithThread, 0, "it counts as running");
  t.equal(admission.depth, 1);
  t.ok(admission.lacksPlace);
  setPlaces(1);
  permit.release();
  (await lacking).release();
});

t.test("a turn with a thread that leaves the queue unserved is not counted any longer", async (t) => {
  const { admission, ask, setPlaces } = createAdmission();
  setPlaces(0);
  const gaveUp = new AbortController();
  const waiting = admission.acquire({ ...ask("a", gaveUp.signal), hasThread: true });
  gaveUp.abort();
  t.equal(await waiting.catch(code), "turn_cancelled");
  t.equal(admission.waitingWithThread, 0);
});

t.test("a batch makes room in a full queue for what its caller asks itself", async (t) => {
  const { admission, ask, setPlaces } = createAdmission({ maxQueue: 3 });
  setPlaces(0);
  const batch = [1, 2, 3].map(() =>
    admission.acquire({ ...ask(), priority: "background" as const }).catch(code),
  );
  const own = admission.acquire(ask());
  t.equal(await batch[2], "queue_full");
  t.equal(await admission.acquire({ ...ask(), priority: "background" as const }).catch(code), "queue_full");
  setPlaces(1);
  admission.pump();
  (await own).release();
  admission.close(new CodexNativeApiError("native_runtime_unavailable", "closing"));
  await Promise.all(batch);
});

t.test("a turn whose caller's time is over already does not start", async (t) => {
  const { admission, ask } = createAdmission();
  const late = admission.acquire({ ...ask(), deadlineAtMs: performance.now() - 1 });
  t.equal(await late.catch(code), "queue_timeout");
  t.equal(admission.running, 0);
});

t.test("a caller's deadline ends its wait before the queue's time", async (t) => {
  const { admission, ask, setPlaces } = createAdmission({ queueTimeoutMs: 60_000 });
  setPlaces(0);
  const waiting = admission.acquire({ ...ask(), deadlineAtMs: performance.now() + 5 });
  t.equal(await waiting.catch(code), "queue_timeout");
});

t.test("those that wait can be refused by what is known of them, and the others go on waiting", async (t) => {
  const { admission, ask, setPlaces } = createAdmission();
  setPlaces(0);
  const refused = admission.acquire({ ...ask(), model: "full" });
  const waiting = admission.acquire({ ...ask(), model: "open" });
  const error = new CodexNativeApiError("server_overloaded", "full");
  admission.failWaiting(error, ({ model }) => model === "full");
  await t.rejects(refused, { code: "server_overloaded" });
  setPlaces(1);
  admission.pump();
  (await waiting).release();
});
