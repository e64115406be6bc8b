import t from "tap";
import { readRequest } from "../../../src/main/turns/turn-assignment.js";

t.test("null counts as left out in every optional field of a host's request", async (t) => {
  const items = [{ type: "message", role: "user", content: "hi" }];
  const fields = ["directives", "instructions", "tools", "webSearch", "verbosity", "effort", "outputSchema"];
  const given = { items, ...Object.fromEntries(fields.map((field) => [field, null])) };
  t.strictSame(JSON.stringify(readRequest(given)), JSON.stringify(readRequest({ items })));
});
