import { Socket } from "node:net";
import t from "tap";
import {
  type ArrivingBody,
  alwaysReadBytes,
  BodyRoom,
  type HeldBody,
} from "../../../src/main/http/body/incoming-body.js";

const kilobyte = 1024;
const busy: ArrivingBody = { silentMs: 0, giveUp: () => {} };

function open(room: BodyRoom, caller: string, body: ArrivingBody = busy): HeldBody {
  return room.open(caller, new Socket(), body);
}

/** Bytes that a new body of the caller gets beyond those that every body gets. */
function fill(room: BodyRoom, caller: string): number {
  const held = open(room, caller);
  let bytes = 0;
  while (held.hold(kilobyte)) bytes += kilobyte;
  return bytes - alwaysReadBytes;
}

t.test("a caller leaves a quarter of what it and the free room are together", async (t) => {
  const room = new BodyRoom(() => 1000 * kilobyte);
  t.equal(fill(room, "ada"), 750 * kilobyte);
  t.equal(fill(room, "ada"), 0);
  t.equal(fill(room, "bob"), 187 * kilobyte);
  t.ok(fill(room, "cy") >= 45 * kilobyte, "there is some left for whoever comes next");
});

t.test("all callers together never hold more than there is", async (t) => {
  const room = new BodyRoom(() => 1000 * kilobyte);
  let sum = 0;
  for (let index = 0; index < 200; index += 1) sum += fill(room, `caller ${index}`);
  t.ok(sum <= 1000 * kilobyte);
  t.equal(fill(room, "one more"), 0);
});

t.test("what is released is there again, once", async (t) => {
  const room = new BodyRoom(() => 1000 * kilobyte);
  const held = open(room, "ada");
  t.ok(held.hold(alwaysReadBytes + 750 * kilobyte));
  t.notOk(held.hold(kilobyte));
  held.release();
  held.release();
  t.notOk(held.hold(1), "nothing is held behind its release");
  t.equal(fill(room, "ada"), 750 * kilobyte);
});

t.test(
  "of the bodies that one connection sends one behind the other the first alone has bytes free",
  async (t) => {
    const room = new BodyRoom(() => 0);
    const socket = new Socket();
    const first = room.open("ada", socket, busy);
    const second = room.open("ada", socket, busy);
    t.ok(first.hold(alwaysReadBytes));
    t.notOk(first.hold(1));
    t.notOk(second.hold(1));
    first.release();
    t.ok(room.open("ada", socket, busy).hold(alwaysReadBytes));
  },
);

t.test(
  "bodies that stand still give way, whoever stood longest first, and those that have come never",
  async (t) => {
    const room = new BodyRoom(() => 1000 * kilobyte);
    const givenUp: string[] = [];
    const hold = (name: string, silentMs: number) => {
      const held = open(room, "ada", {
        silentMs,
        giveUp: () => {
          givenUp.push(name);
          held.release();
        },
      });
      t.ok(held.hold(alwaysReadBytes + 150 * kilobyte));
      return held;
    };
    hold("for a second", 1_000);
    hold("for ten", 10_000);
    hold("for five", 5_000);
    hold("whole", 60_000).settle();
    hold("busy", 0);
    const next = open(room, "ada");
    t.ok(next.hold(alwaysReadBytes + 150 * kilobyte));
    t.strictSame(givenUp, ["for ten"]);
    t.ok(next.hold(150 * kilobyte));
    t.strictSame(givenUp, ["for ten", "for five"]);
    t.notOk(next.hold(150 * kilobyte));
    t.strictSame(givenUp, ["for ten", "for five"]);
  },
);
