import { createServer, type Server } from "node:net";
import t, { type Test } from "tap";
import { probeRoute } from "../../../../src/main/codex/network/network-diagnosis.js";
import type { RouteLimits } from "../../../../src/main/outbound/open-route.js";
import { readTrustedRoots } from "../../../../src/main/outbound/trusted-roots.js";
import { writeCompanyAuthority, writeCompanyDirectory } from "../../../support/company-certificates.js";
import { type ProxyMood, startCompanyProxy } from "../../../support/company-proxy.js";

const limits: RouteLimits = { timeoutMs: 20_000 };

/** A backend that accepts connections. */
async function listen(t: Test): Promise<string> {
  const server: Server = createServer((socket) => socket.on("error", () => socket.destroy()).resume());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

async function setUp(t: Test) {
  const proxy = await startCompanyProxy(t, await listen(t));
  const trusted = await readTrustedRoots({ CODEX_CA_CERTIFICATE: await writeCompanyAuthority(t) });
  const probe = (mood: ProxyMood, credentials = "", roots = trusted, within = limits) => {
    proxy.setMood(mood);
    const url = proxy.url.replace("://", `://${credentials}`);
    return probeRoute(
      { target: "https://backend.invalid/v1", proxy: { variable: "HTTPS_PROXY", url }, roots },
      within,
    );
  };
  return { proxy, trusted, probe };
}

t.test("a way through a proxy with a trusted certificate is open", async (t) => {
  const { probe } = await setUp(t);
  t.equal(await probe({ kind: "pass" }), null);
});

t.test("the probe gives the proxy the user and password of its address, decoded", async (t) => {
  const { probe } = await setUp(t);
  const mood: ProxyMood = { kind: "ask_password", user: "ada", password: "p@ss%word" };
  t.equal(await probe(mood, "ada:p%40ss%25word@"), null);
  t.match(await probe(mood), { kind: "refused", status: 407 });
  t.match(await probe(mood, "ada:100%@"), { kind: "refused", status: 407 });
});

t.test("each failure of a proxy is told apart", async (t) => {
  const { proxy, probe } = await setUp(t);
  t.match(await probe({ kind: "refuse", status: 403 }), { kind: "refused", status: 403 });
  t.match(await probe({ kind: "hang_up" }), { kind: "hung_up" });
  const silent = await probe({ kind: "black_hole" }, "", undefined, { timeoutMs: 50 });
  t.match(silent, { kind: "silent", of: "proxy" });
  await proxy.die();
  t.match(await probe({ kind: "pass" }), { kind: "unreachable", of: "proxy", reason: "ECONNREFUSED" });
});

t.test("a certificate that is not trusted is told with its signer, with and without a proxy", async (t) => {
  const { proxy, trusted, probe } = await setUp(t);
  const strange = await readTrustedRoots({});
  const expected = { kind: "certificate", authority: "Company proxy CA" };
  t.match(await probe({ kind: "pass" }, "", strange), expected);
  t.match(await probeRoute({ target: proxy.directUrl, proxy: null, roots: strange }, limits), expected);
  t.equal(await probeRoute({ target: proxy.directUrl, proxy: null, roots: trusted }, limits), null);
});

t.test("a file without certificates is told before anything is sent", async (t) => {
  const { proxy, probe } = await setUp(t);
  const missing = await readTrustedRoots({ SSL_CERT_FILE: "/no/such/file.pem" });
  const unreadable = { kind: "certificate_file", file: { variable: "SSL_CERT_FILE", problem: "unreadable" } };
  t.match(await probe({ kind: "pass" }, "", missing), unreadable);
  const empty = await readTrustedRoots({
    CODEX_CA_CERTIFICATE: "/dev/null",
    SSL_CERT_FILE: "/no/such/file.pem",
  });
  t.match(empty.fault, { variable: "CODEX_CA_CERTIFICATE", problem: "no_certificate" });
  t.same(proxy.asked, []);
});

t.test(
  "a directory counts with the files that are named by hash, as in Codex's plain requests",
  async (t) => {
    const { probe } = await setUp(t);
    const hashed = await readTrustedRoots({ SSL_CERT_DIR: `/no/such:${await writeCompanyDirectory(t)}` });
    t.equal(await probe({ kind: "pass" }, "", hashed), null);
    const named = await readTrustedRoots({ SSL_CERT_DIR: await writeCompanyDirectory(t, "company-ca.pem") });
    t.match(await probe({ kind: "pass" }, "", named), { kind: "certificate" });
  },
);

t.test("an abort ends the probe", async (t) => {
  const { probe } = await setUp(t);
  const signal = AbortSignal.abort();
  t.match(await probe({ kind: "black_hole" }, "", undefined, { timeoutMs: 20_000, signal }), {
    kind: "silent",
  });
});
