import t from "tap";
import { suggestName } from "../../../src/main/config/suggest-name.js";

const flags = ["--port", "--host", "--max-queue", "--turn-timeout-ms"];

t.test("a slip of the finger is led to the nearest name", async (t) => {
  t.equal(suggestName("--prot", flags), "--port");
  t.equal(suggestName("--maxqueue", flags), "--max-queue");
  t.equal(suggestName("--turn-timeout", flags), "--turn-timeout-ms");
});

t.test("a name that is near to none gets no suggestion", async (t) => {
  t.equal(suggestName("--frobnicate", flags), null);
  t.equal(suggestName("", []), null);
});

t.test("a key is found by its last part, whatever its group", async (t) => {
  t.equal(suggestName("server.port", ["workers", "listen.port"]), "listen.port");
});
