import t from "tap";
import { ItemList } from "../../../../src/main/history/item-list.js";
import type { ThreadNotification } from "../../../../src/workers/app-server/protocol.js";
import { HeldNotifications } from "../../../../src/workers/turn/held-notifications.js";

const id = "019cafe0-0000-7000-8000-000000000000";

/** As Codex echoes what was injected. */
function echoOf(item: { readonly type: string }): ThreadNotification {
  return { method: "rawResponseItem/completed", params: { threadId: id, turnId: id, item } };
}

const histories: readonly [what: string, count: number, text: string][] = [
  ["few large messages", 20, "x".repeat(400 * 1024)],
  ["many short messages", 40_000, "x"],
];

for (const [what, count, text] of histories) {
  t.test(`the echo of ${what} is held, whatever its ids add to it`, async (t) => {
    const content = [{ type: "input_text", text }];
    const items = Array.from({ length: count }, () => ({ type: "message", role: "user", content }));
    const { bytes } = ItemList.of(items);
    const held = new HeldNotifications({ count, bytes });
    t.ok(items.every((item) => held.add(echoOf(item))));
    t.equal(held.take().length, count);
  });
}
