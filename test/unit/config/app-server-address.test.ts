import t from "tap";
import { parseAppServerAddress } from "../../../src/main/config/codex-options.js";

t.test("loopback websocket addresses are taken in every spelling", async (t) => {
  for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
    t.strictSame(parseAppServerAddress(`ws://${host}:4500/`), { kind: "tcp", url: `ws://${host}:4500` });
  }
});

t.test("what is not an app-server of this machine is refused", async (t) => {
  const refused = [
    "",
    "share",
    "unix://",
    "unix://relative.sock",
    "ws://127.0.0.1",
    "ws://10.0.0.1:4500",
    "ws://box.lan:4500",
    "ws://127.0.0.1:4500/path",
    "ws://user@127.0.0.1:4500",
    "wss://127.0.0.1:4500",
    "http://127.0.0.1:4500",
  ];
  for (const text of refused) t.equal(parseAppServerAddress(text), null, text);
});
