import t from "tap";
import { OriginGuard } from "../../../src/main/http/origin-guard.js";

const guard = new OriginGuard("127.0.0.1", {
  allowedHosts: ["codex.internal"],
  allowedOrigins: ["https://app.example"],
});
const check = (headers: Record<string, string>, localAddress = "127.0.0.1") =>
  guard.check(headers, localAddress);

t.test("loopback names, allowed names and the address of the socket pass", async (t) => {
  const hosts = [
    "127.0.0.1",
    "127.0.0.1:43182",
    "127.9.9.9:1",
    "localhost",
    "LOCALHOST:80",
    "localhost.:80",
    "[::1]:43182",
    "[::ffff:127.0.0.1]:1",
    "codex.internal:43182",
    "Codex.Internal",
  ];
  for (const host of hosts) t.equal(check({ host }), null, host);
  t.equal(check({ host: "192.0.2.7:43182" }, "192.0.2.7"), null);
  t.equal(check({ host: "192.0.2.7:43182" }, "::ffff:192.0.2.7"), null);
});

t.test("any other name is refused: it may have been made to point here", async (t) => {
  const hosts = [
    "evil.example",
    "evil.example:43182",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1:1@evil.example",
    "evil.example:80:80",
    "192.0.2.8",
    "0x7f.1",
    "2130706433",
    "127.1",
    "",
    " ",
    "[::1",
    "[evil.example]",
  ];
  for (const host of hosts) t.throws(() => check({ host }), { code: "host_not_allowed", status: 403 }, host);
  t.throws(() => check({}), { code: "host_not_allowed" });
});

t.test("a web page is let in only from an allowed origin", async (t) => {
  const host = "127.0.0.1:43182";
  t.equal(check({ host, origin: "https://app.example" }), "https://app.example");
  t.equal(
    check({ host, origin: "https://app.example", "sec-fetch-site": "cross-site" }),
    "https://app.example",
  );
  const origins = ["https://evil.example", "http://app.example", "https://app.example.evil", "null", ""];
  for (const origin of origins) {
    t.throws(() => check({ host, origin }), { code: "origin_not_allowed", status: 403 }, origin);
  }
});

t.test("a browser that names no origin is known by what it says of the site", async (t) => {
  const host = "127.0.0.1";
  for (const site of ["none", "same-origin"]) t.equal(check({ host, "sec-fetch-site": site }), null, site);
  for (const site of ["cross-site", "same-site"]) {
    t.throws(() => check({ host, "sec-fetch-site": site }), { code: "origin_not_allowed" }, site);
  }
});

t.test("the page that this service serves may call, and nothing else of this machine", async (t) => {
  for (const host of [
    "127.0.0.1:43182",
    "localhost:43182",
    "[::1]:43182",
    "codex.internal:80",
    "localhost",
  ]) {
    t.equal(check({ host, origin: `http://${host}` }), null, host);
    t.equal(check({ host, origin: `http://${host}`, "sec-fetch-site": "same-origin" }), null, host);
  }
  const host = "127.0.0.1:43182";
  const origins = [
    "http://127.0.0.1:43183",
    "http://127.0.0.1:4318",
    "http://127.0.0.1",
    "http://localhost:43182",
    "http://127.0.0.2:43182",
    "http://[::1]:43182",
    "https://127.0.0.1:43182",
    "ws://127.0.0.1:43182",
    "http://127.0.0.1:43182.evil.example",
    "http://127.0.0.1:43182/",
    "http://evil@127.0.0.1:43182",
    "HTTP://127.0.0.1:43182",
  ];
  for (const origin of origins)
    t.throws(() => check({ host, origin }), { code: "origin_not_allowed" }, origin);
});

t.test("a name that is not ours is no page of ours, whatever its origin says", async (t) => {
  const host = "evil.example:43182";
  t.throws(() => check({ host, origin: `http://${host}` }), { code: "host_not_allowed" });
});

t.test("an origin of ours that the browser calls another site's is refused", async (t) => {
  const host = "127.0.0.1:43182";
  for (const site of ["cross-site", "same-site"])
    t.throws(() => check({ host, origin: `http://${host}`, "sec-fetch-site": site }), {
      code: "origin_not_allowed",
    });
});
