import t from "tap";
import { messageItem } from "../../../support/fake-runtime.js";
import { newStream, play } from "../../../support/response-driver.js";
import { parseSse } from "../../../support/sse-events.js";

t.test("events are written as server-sent text, the fast way of deltas like any other", async (t) => {
  const text = 'line\nbreak "quoted" \u2028 🌍 \\ end';
  const { events } = play([
    ...[...text].map((delta) => ({ type: "text.delta", itemId: "msg_1", delta }) as const),
    { type: "item.completed", item: messageItem("msg_1", text) },
    { type: "text.delta", itemId: "msg_2", delta: "other" },
    { type: "text.delta", itemId: "msg_1", delta: "late" },
    { type: "item.completed", item: messageItem("msg_2", "other") },
  ]);
  const encoder = newStream();
  const parsed = parseSse(events.map((event) => encoder.encode([event])).join("")).events;
  t.strictSame(
    parsed.map(({ event }) => event),
    events.map(({ type }) => type),
  );
  t.strictSame(
    parsed.map(({ data }) => data),
    JSON.parse(JSON.stringify(events)),
  );
});
