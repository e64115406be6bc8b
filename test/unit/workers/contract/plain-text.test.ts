import t from "tap";
import { newestTestedCodex } from "../../../../src/workers/contract/codex-capabilities.js";
import { plainTextOf } from "../../../../src/workers/contract/plain-text.js";

const part = { type: "input_text", text: "hello" };
const message = { type: "message", role: "user", content: [part] };

t.test("one plain message of the user's is its text", async (t) => {
  for (const version of ["0.150.1", "0.160.0", "0.169.0", newestTestedCodex])
    t.equal(plainTextOf([message], version), "hello");
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
  for (const items of others) t.equal(plainTextOf(items, newestTestedCodex), null, JSON.stringify(items));
});

t.test("on a version where it is not the same, or was not tried, all is injected", async (t) => {
  for (const version of [null, "", "0.140.0", "0.172.0", "1.150.0", "unknown"]) {
    t.equal(plainTextOf([message], version), null, String(version));
  }
});
