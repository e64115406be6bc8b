/** What Codex makes of proxies and certificates of every kind: docs/operations.md has these rows. */
import t from "tap";
import {
  asksPassword,
  checkFaults,
  type ProxyFault,
  password,
  startInCompany,
  user,
  withCredentials,
} from "../support/company-service.js";
import { ask, checkTold } from "../support/upstream-told.js";

const lasting = "network_misconfigured";
const passing = "upstream_connection_failed";

/** Codex 0.171 opens no WebSocket through an https:// proxy, and goes on with plain requests. */
for (const transport of ["sse", "websocket"] as const) {
  t.test(`a proxy with an https:// address is used, by a turn over ${transport} too`, async (t) => {
    const { harness, proxy, log } = await startInCompany(t, {
      transport,
      isImpatient: true,
      scheme: "https",
      mood: asksPassword,
      env: (company, authority) => ({
        HTTPS_PROXY: withCredentials(company),
        CODEX_CA_CERTIFICATE: authority,
      }),
    });
    await harness.untilReady();
    t.equal((await harness.client.responses.create({ input: "hello" })).status, "completed");
    t.ok(proxy.requests.includes("POST /v1/responses"), proxy.requests.join(", "));
    t.same(new Set(proxy.asked), new Set(["backend.invalid:443"]));
    t.notOk(log.some((line) => line.includes(password)));
  });

  t.test(`HTTP_PROXY is used for a backend at http://, over ${transport}`, async (t) => {
    const { harness, backend, proxy } = await startInCompany(t, {
      transport,
      isImpatient: true,
      mood: asksPassword,
      base: () => "http://backend.invalid",
      env: (company) => ({ HTTP_PROXY: withCredentials(company), NO_PROXY: "127.0.0.1" }),
    });
    await harness.untilReady();
    t.equal((await harness.client.responses.create({ input: "hello" })).status, "completed");
    if (transport === "sse") t.same(proxy.forwarded, ["POST http://backend.invalid/v1/responses"]);
    else t.same(proxy.asked, ["backend.invalid:80"]);
    proxy.setMood({ kind: "ask_password", user, password: "another" });
    checkTold(t, "the password was changed", await ask(harness, "hello"), {
      code: lasting,
      words: /HTTP_PROXY names refuses the user and password in its address \(407\)/,
    });
    t.equal(backend.requests.length, 1);
  });

  t.test(`SSL_CERT_DIR is trusted where its files are named by hash, over ${transport}`, async (t) => {
    const { harness } = await startInCompany(t, {
      transport,
      isImpatient: true,
      env: ({ url }, _authority, { hashed }) => ({ HTTPS_PROXY: url, SSL_CERT_DIR: hashed }),
    });
    await harness.untilReady();
    t.equal((await harness.client.responses.create({ input: "hello" })).status, "completed");
  });
}

t.test("a WebSocket goes through a SOCKS proxy; the log warns of plain requests, which do not", async (t) => {
  const { harness, proxy, socks, log } = await startInCompany(t, {
    transport: "websocket",
    isImpatient: true,
    env: (_proxy, authority, others) => ({
      ALL_PROXY: `socks5h://${user}:${password}@127.0.0.1:${others.socks.port}`,
      NO_PROXY: "127.0.0.1",
      SSL_CERT_FILE: authority,
    }),
  });
  await harness.untilReady();
  t.equal((await harness.client.responses.create({ input: "hello" })).status, "completed");
  t.same(new Set(socks.asked), new Set(["backend.invalid:443"]));
  t.ok(proxy.requests.includes("GET /v1/responses"), proxy.requests.join(", "));
  const warned = log.filter((line) => line.includes('"network.fault"'));
  t.match(warned, [/ALL_PROXY names is a SOCKS proxy, which Codex takes for WebSockets alone/]);
  t.notOk(log.some((line) => line.includes(password)));
});

t.test("a variable that names no proxy is passed by, which the log says", async (t) => {
  const { harness, proxy, log } = await startInCompany(t, {
    transport: "sse",
    base: ({ directUrl }) => directUrl,
    env: ({ port }, authority) => ({
      HTTPS_PROXY: `ftp://${user}:${password}@127.0.0.1:${port}`,
      SSL_CERT_FILE: authority,
    }),
  });
  await harness.untilReady();
  t.equal((await harness.client.responses.create({ input: "hello" })).status, "completed");
  t.same(proxy.asked, []);
  const warned = log.filter((line) => line.includes('"network.fault"'));
  t.match(warned, [/HTTPS_PROXY does not name a proxy that Codex knows: its requests go out without one/]);
  t.notOk(log.some((line) => line.includes(password)));
});

/** What Codex has no use for, as measured with plain requests. */
const useless: Readonly<Record<string, ProxyFault>> = {
  "is one of SOCKS": {
    env: (_proxy, authority, { socks }) => ({
      HTTPS_PROXY: `socks5://${user}:${password}@127.0.0.1:${socks.port}`,
      SSL_CERT_FILE: authority,
    }),
    told: {
      code: lasting,
      words: /HTTPS_PROXY names is a SOCKS proxy, .*: its plain requests fail\. Name an HTTP proxy/,
    },
  },
  "is one of SOCKS, and dead": {
    env: () => ({ HTTPS_PROXY: "socks5h://127.0.0.1:9" }),
    told: { code: passing, words: /HTTPS_PROXY names cannot be reached \(ECONNREFUSED\)/ },
  },
  "is one of SOCKS4": {
    env: () => ({ https_proxy: "socks4a://127.0.0.1:9" }),
    told: { code: lasting, words: /https_proxy names is a SOCKS4 proxy, which Codex does not take/ },
  },
  "is of no kind": {
    env: () => ({ HTTPS_PROXY: "http://" }),
    told: { code: lasting, words: /HTTPS_PROXY does not name a proxy that Codex knows/ },
  },
  "has a certificate of its own that is not trusted": {
    scheme: "https",
    env: ({ url }) => ({ HTTPS_PROXY: url }),
    told: { code: lasting, words: /certificate .* not trusted .*"Company proxy CA".* CODEX_CA_CERTIFICATE/ },
  },
  "has its authority in SSL_CERT_DIR, by a name that is no hash": {
    env: ({ url }, _authority, { unhashed }) => ({ HTTPS_PROXY: url, SSL_CERT_DIR: unhashed }),
    told: { code: lasting, words: /certificate .* not trusted .*in SSL_CERT_DIR only files named by hash/ },
  },
};

t.test("a proxy or a directory that Codex has no use for is named, with what to do", async (t) => {
  await checkFaults(t, "sse", Object.entries(useless));
});
