import { readFile } from "node:fs/promises";
import t from "tap";
import { describeStateFault } from "../../../../src/main/codex/home/state-directory-fault.js";

t.test("the message of a file system error names no path", async (t) => {
  const missing = await readFile("/nowhere/at/all").catch((error: unknown) => error);
  const fault = describeStateFault(missing);
  t.match(fault, { code: "native_runtime_unavailable", message: /part of it is missing/, cause: missing });
  t.notMatch(String(fault), "/nowhere");
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  t.match(describeStateFault(full), { message: /its disk is full/ });
});

t.test("any other error is returned unchanged", async (t) => {
  for (const fault of [new Error("else"), Object.assign(new Error("odd"), { code: "EODD" }), "text"])
    t.equal(describeStateFault(fault), fault);
});
