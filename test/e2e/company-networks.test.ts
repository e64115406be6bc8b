/** The proxies and certificates of company networks, with the real app-server: what reaches Codex, and what callers hear of a fault. */
import { pino } from "pino";
import t, { type Test } from "tap";
import { writeCompanyAuthority, writeCompanyDirectory } from "../support/company-certificates.js";
import { type CompanyProxy, type ProxyMood, startCompanyProxy } from "../support/company-proxy.js";
import { OfflineBackend, stall } from "../support/offline-backend/index.js";
import { type ServiceHarness, startServiceHarness, transports } from "../support/service-harness.js";
import { type SocksProxy, startSocksProxy } from "../support/socks-proxy.js";
import { ask, checkTold, type ExpectedWords, withoutRetries } from "../support/upstream-told.js";

const user = "ada";
const password = "s3cret-of-ada";
const asksPassword: ProxyMood = { kind: "ask_password", user, password };
const lasting = "network_misconfigured";
const passing = "upstream_connection_failed";

interface CompanyOptions {
  readonly transport: keyof typeof transports;
  /** Without retries of Codex's. Default: as it has them. */
  readonly isImpatient?: boolean;
  readonly mood?: ProxyMood;
  /** Of the proxy's own address. Default `http`. */
  readonly scheme?: "http" | "https";
  readonly env: (
    proxy: CompanyProxy,
    authority: string,
    others: OtherWays,
  ) => Readonly<Record<string, string>>;
  /** Default: a host that only the proxy reaches. */
  readonly base?: (proxy: CompanyProxy) => string;
}

/** What a few environments name beside the proxy and the file of its authority. */
interface OtherWays {
  readonly socks: SocksProxy;
  /** The authority, named by its hash. */
  readonly hashed: string;
  /** The same, by another name. */
  readonly unhashed: string;
}

interface Company {
  readonly harness: ServiceHarness;
  readonly backend: OfflineBackend;
  readonly proxy: CompanyProxy;
  readonly socks: SocksProxy;
  /** Everything that the service logged. */
  readonly log: readonly string[];
}

async function startInCompany(t: Test, options: CompanyOptions): Promise<Company> {
  const { transport, isImpatient = false, mood, scheme, env, base } = options;
  const backend = await OfflineBackend.start();
  t.teardown(() => backend.close());
  const proxy = await startCompanyProxy(t, backend.origin, scheme);
  const leadTo = Number(new URL(proxy.directUrl).port);
  const socks = await startSocksProxy(t, { leadTo, login: `${user}:${password}` });
  const others = {
    socks,
    hashed: await writeCompanyDirectory(t),
    unhashed: await writeCompanyDirectory(t, "company-ca.pem"),
  };
  if (mood !== undefined) proxy.setMood(mood);
  const isBuiltIn = transport === "websocket" && !isImpatient;
  const key = isBuiltIn ? "openai_base_url" : "model_providers.offline.base_url";
  const log: string[] = [];
  const harness = await startServiceHarness(t, {
    ...transports[transport],
    ...(isImpatient && { provider: { ...withoutRetries, supportsWebSockets: transport === "websocket" } }),
    argv: ["--codex-config", `${key}="${base?.(proxy) ?? "https://backend.invalid"}/v1"`],
    env: env(proxy, await writeCompanyAuthority(t), others),
    logger: pino({ level: "trace" }, { write: (line: string) => log.push(line) }),
  });
  return { harness, backend, proxy, socks, log };
}

function withCredentials({ url }: CompanyProxy, given = password): string {
  return url.replace("://", `://${user}:${given}@`);
}

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
    proxy.setMood({ ...asksPassword, password: "another" });
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

interface ProxyFault extends Pick<CompanyOptions, "mood" | "scheme"> {
  readonly env?: CompanyOptions["env"];
  readonly isDead?: true;
  readonly told: ExpectedWords;
}

const trusting: CompanyOptions["env"] = ({ url }, authority) => ({
  HTTPS_PROXY: url,
  SSL_CERT_FILE: authority,
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

/** The rest differs from these in what the proxy says, and not in what Codex does. */
const alsoOverWebSocket: ReadonlySet<string> = new Set([
  "asks for a password",
  "is dead",
  "has a certificate that is not trusted",
]);

/** More at once are slower than a probe may be, on a machine with other work. */
const servicesAtOnce = 3;

async function checkFaults(
  t: Test,
  transport: CompanyOptions["transport"],
  cases: readonly (readonly [what: string, fault: ProxyFault])[],
): Promise<void> {
  const check = async ([what, { mood, scheme, isDead, told, env = trusting }]: (typeof cases)[number]) => {
    const { harness, proxy, log } = await startInCompany(t, {
      transport,
      isImpatient: true,
      env,
      ...(mood !== undefined && { mood }),
      ...(scheme !== undefined && { scheme }),
    });
    await harness.untilReady();
    if (isDead) await proxy.die();
    checkTold(t, what, await ask(harness, "hello"), told);
    const health = await (await fetch(`${harness.url}/v1/health`)).text();
    for (const text of [...log, health]) t.notMatch(text, /-of-ada/, `${what}: no password`);
    t.ok(
      log.some((line) => line.includes('"network.fault"')),
      `${what}: logged`,
    );
    await harness.service.destroy();
  };
  for (let next = 0; next < cases.length; next += servicesAtOnce)
    await Promise.all(cases.slice(next, next + servicesAtOnce).map(check));
}

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

t.test("a proxy or a directory that Codex has no use for is named, with what to do", async (t) => {
  await checkFaults(t, "sse", Object.entries(useless));
});

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
