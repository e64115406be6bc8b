/** The proxies and certificates of company networks, with the real app-server: what reaches Codex, and what callers hear of a fault. */
import t from "tap";
import {
  asksPassword,
  type CompanyOptions,
  checkFaults,
  type ProxyFault,
  password,
  startInCompany,
  trusting,
  withCredentials,
} from "../support/company-service.js";
import { stall } from "../support/offline-backend/index.js";
import { ask, checkTold } from "../support/upstream-told.js";

const lasting = "network_misconfigured";
const passing = "upstream_connection_failed";

/** How the proxy and its authority are named, on either transport. */
const ways: Readonly<Record<string, CompanyOptions>> = {
  "HTTPS_PROXY with a password, SSL_CERT_FILE": {
    transport: "websocket",
    mood: asksPassword,
    env: (proxy, authority) => ({ HTTPS_PROXY: withCredentials(proxy), SSL_CERT_FILE: authority }),
  },
  "https_proxy with a password, CODEX_CA_CERTIFICATE": {
    transport: "sse",
    mood: asksPassword,
    env: (proxy, authority) => ({ https_proxy: withCredentials(proxy), CODEX_CA_CERTIFICATE: authority }),
  },
  "ALL_PROXY, CODEX_CA_CERTIFICATE": {
    transport: "websocket",
    env: ({ url }, authority) => ({ ALL_PROXY: url, NO_PROXY: "127.0.0.1", CODEX_CA_CERTIFICATE: authority }),
  },
  "all_proxy, SSL_CERT_FILE": {
    transport: "sse",
    env: (proxy, authority) => ({ all_proxy: proxy.url, SSL_CERT_FILE: authority }),
  },
};

for (const [way, options] of Object.entries(ways)) {
  t.test(`turns go through the company's proxy over ${options.transport}: ${way}`, async (t) => {
    const { harness, proxy, log } = await startInCompany(t, options);
    await harness.untilReady();
    const before = { ...proxy.bytes };
    const answer = await harness.client.responses.create({ input: "hello" });
    t.equal(answer.status, "completed");
    t.ok(proxy.bytes.up - before.up > 500, `${proxy.bytes.up - before.up} bytes of the request`);
    t.ok(proxy.bytes.down - before.down > 200, `${proxy.bytes.down - before.down} bytes of the answer`);
    const method = options.transport === "websocket" ? "GET" : "POST";
    t.ok(proxy.requests.includes(`${method} /v1/responses`), proxy.requests.join(", "));
    t.same(new Set(proxy.asked), new Set(["backend.invalid:443"]));
    t.notOk(log.some((line) => line.includes(password)));
  });
}

t.test("what NO_PROXY names is reached without the proxy", async (t) => {
  for (const transport of ["websocket", "sse"] as const) {
    const { harness, proxy } = await startInCompany(t, {
      transport,
      base: ({ directUrl }) => directUrl,
      env: ({ url }, authority) => ({
        HTTPS_PROXY: url,
        NO_PROXY: "internal.example,localhost",
        SSL_CERT_FILE: authority,
      }),
    });
    await harness.untilReady();
    const answer = await harness.client.responses.create({ input: "hello" });
    t.equal(answer.status, "completed", transport);
    t.same(proxy.asked, [], transport);
    t.match(proxy.requests.at(-1), /\/v1\/responses$/, transport);
  }
});

const faults: Readonly<Record<string, ProxyFault>> = {
  "asks for a password": {
    mood: asksPassword,
    told: {
      code: lasting,
      words: /HTTPS_PROXY names asks for a user and password \(407\)\. Write USER:PASSWORD@/,
    },
  },
  "does not take the password": {
    mood: asksPassword,
    env: (proxy, authority) => ({
      ALL_PROXY: withCredentials(proxy, "wr0ng-of-ada"),
      NO_PROXY: "127.0.0.1",
      SSL_CERT_FILE: authority,
    }),
    told: { code: lasting, words: /ALL_PROXY names refuses the user and password in its address \(407\)/ },
  },
  "refuses the backend": {
    mood: { kind: "refuse", status: 403 },
    told: { code: lasting, words: /HTTPS_PROXY names refuses connections to the model backend \(403\)/ },
  },
  "has no network itself": {
    mood: { kind: "refuse", status: 503 },
    told: { code: passing, words: /HTTPS_PROXY names answered 503/ },
  },
  "hangs up": {
    mood: { kind: "hang_up" },
    told: { code: passing, words: /HTTPS_PROXY names closes the connection without an answer/ },
  },
  "is dead": {
    isDead: true,
    told: { code: passing, words: /HTTPS_PROXY names cannot be reached \(ECONNREFUSED\)/ },
  },
  "has a certificate that is not trusted": {
    env: ({ url }) => ({ HTTPS_PROXY: url }),
    told: { code: lasting, words: /certificate .* not trusted .*"Company proxy CA".* CODEX_CA_CERTIFICATE/ },
  },
};

/** The rest differs from these in what the proxy says, and not in what Codex does. */
const alsoOverWebSocket: ReadonlySet<string> = new Set([
  "asks for a password",
  "is dead",
  "has a certificate that is not trusted",
]);

for (const transport of ["sse", "websocket"] as const) {
  t.test(
    `a proxy that fails is named, with what to do and whether to retry, over ${transport}`,
    async (t) => {
      const cases = Object.entries(faults);
      await checkFaults(
        t,
        transport,
        cases.filter(([what]) => transport === "sse" || alsoOverWebSocket.has(what)),
      );
    },
  );
}

t.test("a proxy that dies in mid-output is named when the stream ends", async (t) => {
  const { harness, backend, proxy } = await startInCompany(t, {
    transport: "sse",
    isImpatient: true,
    env: trusting,
  });
  await harness.untilReady();
  backend.setDefaultReply(stall({ afterDeltas: 1 }));
  const stream = await harness.client.responses.create({ input: "hello", stream: true });
  const read = async (): Promise<void> => {
    for await (const event of stream) {
      if (event.type === "response.output_text.delta") await proxy.die();
      if (event.type !== "response.failed") continue;
      t.match(event.response.error, { message: /HTTPS_PROXY names cannot be reached/ });
      return;
    }
    t.fail("the stream ended without an error");
  };
  await read();
});

t.test("a file of certificates that Codex cannot use is named before a turn runs", async (t) => {
  const { harness } = await startInCompany(t, {
    transport: "sse",
    env: ({ url }) => ({ HTTPS_PROXY: url, SSL_CERT_FILE: "/no/such/company-ca.pem" }),
  });
  await harness.service.untilSettled();
  checkTold(t, "SSL_CERT_FILE", await ask(harness, "hello"), {
    code: "native_runtime_unavailable" as const,
    words: /The file that SSL_CERT_FILE names cannot be read/,
  });
});
