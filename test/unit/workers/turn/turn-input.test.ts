import t from "tap";
import { newestTestedCodex } from "../../../../src/workers/contract/codex-capabilities.js";
import type { JsonObject } from "../../../../src/workers/contract/json.js";
import { plainTextOf } from "../../../../src/workers/turn/turn-input.js";
import { packed } from "../../../support/packed-items.js";

const part = { type: "input_text", text: "hello" };
const message = { type: "message", role: "user", content: [part] };

const turn = (items: readonly JsonObject[]) => ({ items: packed(...items), directives: [] });

t.test("one plain message of the user's is its text", async (t) => {
  for (const version of ["0.150.1", "0.160.0", "0.169.0", newestTestedCodex])
    t.equal(plainTextOf(turn([message]), version), "hello");
});

t.test("everything else is injected", async (t) => {
  const others = [
    [],
    [message, message],
    [{ ...message, role: "developer" }],
    [{ ...message, role: "assistant" }],
    [{ ...message, type: "reasoning" }],
    [{ ...message, id: "msg_1" }],
    [{ ...message, content: "hello" }],
    [{ ...message, content: [] }],
    [{ ...message, content: [part, part] }],
    [{ ...message, content: [{ type: "input_image", image_url: "data:," }] }],
    [{ ...message, content: [{ ...part, annotations: [] }] }],
    [{ ...message, content: [{ ...part, text: "" }] }],
    [{ ...message, content: [{ ...part, text: "use $skill" }] }],
    [{ ...message, content: [{ ...part, text: "ask @plugin" }] }],
  ];
  for (const items of others)
    t.equal(plainTextOf(turn(items), newestTestedCodex), null, JSON.stringify(items));
});

t.test("on a version where it is not the same, or was not tried, all is injected", async (t) => {
  for (const version of [null, "", "0.140.0", "0.172.0", "1.150.0", "unknown"]) {
    t.equal(plainTextOf(turn([message]), version), null, String(version));
  }
});

t.test("what comes with words of this service's, or is long, is injected", async (t) => {
  const directives = [{ type: "message", role: "developer", content: [part] }];
  t.equal(plainTextOf({ items: packed(message), directives }, newestTestedCodex), null);
  const long = { ...message, content: [{ ...part, text: "x".repeat(100_000) }] };
  t.equal(plainTextOf(turn([long]), newestTestedCodex), null);
});
