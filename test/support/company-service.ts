/** The whole service behind a company's proxy, on the real app-server. */
import { pino } from "pino";
import type { Test } from "tap";
import { writeCompanyAuthority, writeCompanyDirectory } from "./company-certificates.js";
import { type CompanyProxy, type ProxyMood, startCompanyProxy } from "./company-proxy.js";
import { OfflineBackend } from "./offline-backend/index.js";
import { type ServiceHarness, startServiceHarness, transports } from "./service-harness.js";
import { type SocksProxy, startSocksProxy } from "./socks-proxy.js";
import { ask, checkTold, type ExpectedWords, withoutRetries } from "./upstream-told.js";

export const user = "ada";
export const password = "s3cret-of-ada";
export const asksPassword: ProxyMood = { kind: "ask_password", user, password };

export interface CompanyOptions {
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

export interface Company {
  readonly harness: ServiceHarness;
  readonly backend: OfflineBackend;
  readonly proxy: CompanyProxy;
  readonly socks: SocksProxy;
  /** Everything that the service logged. */
  readonly log: readonly string[];
}

export async function startInCompany(t: Test, options: CompanyOptions): Promise<Company> {
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

export function withCredentials({ url }: CompanyProxy, given = password): string {
  return url.replace("://", `://${user}:${given}@`);
}

export interface ProxyFault extends Pick<CompanyOptions, "mood" | "scheme"> {
  readonly env?: CompanyOptions["env"];
  readonly isDead?: true;
  readonly told: ExpectedWords;
}

export const trusting: CompanyOptions["env"] = ({ url }, authority) => ({
  HTTPS_PROXY: url,
  SSL_CERT_FILE: authority,
});

/** More at once are slower than a probe may be, on a machine with other work. */
const servicesAtOnce = 3;

export async function checkFaults(
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
