import t from "tap";
import { EventListeners } from "../../../src/main/observability/event-listeners.js";

function makeListeners() {
  const faults: string[] = [];
  const listeners = new EventListeners<{ readonly greeting: string }>((name, error) => {
    faults.push(`${name}: ${String(error)}`);
  });
  return { listeners, faults };
}

t.test("listeners are told in the order of subscription, until they unsubscribe", async (t) => {
  const { listeners } = makeListeners();
  const told: string[] = [];
  const unsubscribe = listeners.on("greeting", (text) => told.push(`first ${text}`));
  listeners.on("greeting", (text) => told.push(`second ${text}`));
  listeners.emit("greeting", "hello");
  unsubscribe();
  unsubscribe();
  listeners.emit("greeting", "again");
  t.strictSame(told, ["first hello", "second hello", "second again"]);
});

t.test("a function subscribed twice is told twice, and unsubscribes once at a time", async (t) => {
  const { listeners } = makeListeners();
  let calls = 0;
  const count = () => {
    calls += 1;
  };
  const unsubscribe = listeners.on("greeting", count);
  listeners.on("greeting", count);
  listeners.emit("greeting", "hello");
  t.equal(calls, 2);
  unsubscribe();
  listeners.emit("greeting", "hello");
  t.equal(calls, 3);
});

t.test("a throw and a rejection are reported, and the others are told", async (t) => {
  const { listeners, faults } = makeListeners();
  const told: string[] = [];
  listeners.on("greeting", () => {
    throw new Error("at once");
  });
  listeners.on("greeting", async () => {
    throw new Error("later");
  });
  listeners.on("greeting", (text) => told.push(text));
  listeners.emit("greeting", "hello");
  t.strictSame(told, ["hello"]);
  await new Promise(setImmediate);
  t.strictSame(faults, ["greeting: Error: at once", "greeting: Error: later"]);
});

t.test("whoever subscribes while an event is told hears of the next one", async (t) => {
  const { listeners } = makeListeners();
  const told: string[] = [];
  listeners.on("greeting", () => {
    if (told.length === 0) listeners.on("greeting", (text) => told.push(text));
  });
  listeners.emit("greeting", "one");
  t.strictSame(told, []);
  listeners.emit("greeting", "two");
  t.strictSame(told, ["two"]);
});
