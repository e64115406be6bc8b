import t from "tap";
import { isLoopbackHost, isWebOrigin, normalizeHost } from "../../../src/main/config/network-names.js";

t.test("hosts are brought to one form", async (t) => {
  t.equal(normalizeHost(" Box.LAN "), "box.lan");
  t.equal(normalizeHost("[::1]"), "::1");
  t.equal(normalizeHost("10.0.0.1"), "10.0.0.1");
});

t.test("what is no host is refused", async (t) => {
  for (const text of ["", "a b", "-a", "a-", "a..b", "box:80", "http://box", "127.0.0.300", "*", "a/b"]) {
    t.equal(normalizeHost(text), null, text);
  }
});

t.test("loopback is decided by the address, not by how it begins", async (t) => {
  t.ok(["127.0.0.1", "127.1.2.3", "::1", "localhost", "::ffff:127.0.0.1"].every(isLoopbackHost));
  t.notOk(["0.0.0.0", "::", "128.0.0.1", "127.example", "localhost.example"].some(isLoopbackHost));
});

t.test("an origin is a scheme, a host and a port", async (t) => {
  t.ok(["https://app.example", "http://localhost:3000"].every(isWebOrigin));
  t.notOk(
    ["app.example", "https://app.example/", "https://app.example/x", "null", "*", "file:///x"].some(
      isWebOrigin,
    ),
  );
});
