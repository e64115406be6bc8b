import { createSecureContext } from "node:tls";
import type { Logger } from "pino";
import type { TurnErrorCode, TurnErrorData } from "../../../workers/contract/errors.js";
import { openRoute, type Route, type RouteLimits } from "../../outbound/open-route.js";
import { type ChosenProxy, chooseProxy, hideCredentials } from "../../outbound/outbound-route.js";
import type { RouteFault, RouteVerdict } from "../../outbound/route-fault.js";
import { readTrustedRoots, type TrustedRoots } from "../../outbound/trusted-roots.js";
import { describeBackendFault, findUnusableProxy } from "./backend-words.js";

export interface NetworkDiagnosisOptions {
  /** As Codex has it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The base URL of the model backend; null if it is not known. */
  readonly findBackend: () => Promise<string | null>;
  readonly logger: Logger;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** The way to the model backend and what is wrong with it. */
export interface NetworkState {
  readonly proxy: ChosenProxy | null;
  /** Null if the way is open. */
  readonly verdict: RouteVerdict | null;
}

const probeTimeoutMs = 3_000;
/** How long a verdict is used again, in milliseconds: turns often fail together. */
const maxAgeMs = 5_000;
/** A proxy that never answers looks like a model that thinks, until the turn's silence ends it. */
const doubtful: ReadonlySet<TurnErrorCode> = new Set(["upstream_connection_failed", "turn_stalled"]);
const proxyAuthenticationRequired = 407;

/**
 * Says why Codex cannot reach the model backend. Codex itself says "error sending request" for a proxy that refuses, a password that
 * is missing and a certificate that is not trusted, so this service tries the same way when a turn has failed.
 */
export class NetworkDiagnosis {
  readonly #options: NetworkDiagnosisOptions;
  #latest: { readonly atMs: number; readonly state: Promise<NetworkState | null> } | null = null;
  #logged: string | null = null;

  constructor(options: NetworkDiagnosisOptions) {
    this.#options = options;
  }

  /** The error with its cause and what to do; the error itself if it is no network's, or the way is open. Never rejects. */
  async explain(error: TurnErrorData): Promise<TurnErrorData> {
    const { code, upstreamStatus } = error;
    const isProxyAnswer = upstreamStatus === proxyAuthenticationRequired;
    if (!doubtful.has(code) || (upstreamStatus !== undefined && !isProxyAnswer)) return error;
    const state = await this.#inspect();
    if (state === null) return error;
    const { proxy } = state;
    // A proxy answers requests for http:// backends itself, and the probe sends none.
    const verdict =
      isProxyAnswer && proxy !== null
        ? describeBackendFault({ kind: "refused", status: proxyAuthenticationRequired }, proxy)
        : state.verdict;
    if (verdict === null || (proxy === null && verdict.mayPass)) return error;
    this.#log({ proxy, verdict });
    const message = `${verdict.found} ${verdict.advice}`;
    return {
      ...error,
      message,
      code: verdict.mayPass ? "upstream_connection_failed" : "network_misconfigured",
    };
  }

  /** Logs a proxy that Codex cannot use: it may go out without one and say nothing. Never rejects. */
  async checkProxy(): Promise<void> {
    const { findBackend, environment } = this.#options;
    const target = await findBackend().catch(() => null);
    if (target === null) return;
    const verdict = findUnusableProxy(target, environment);
    if (verdict !== null) this.#log({ proxy: chooseProxy(target, environment), verdict });
  }

  async #inspect(): Promise<NetworkState | null> {
    const { now, findBackend, environment } = this.#options;
    if (this.#latest === null || now() - this.#latest.atMs > maxAgeMs) {
      // Without a readable configuration there is no app-server either.
      const target = findBackend().catch(() => null);
      const state = target.then((url) => (url === null ? null : inspectNetwork(url, environment)));
      this.#latest = { atMs: now(), state };
    }
    return this.#latest.state;
  }

  #log({ proxy, verdict }: { readonly proxy: ChosenProxy | null; readonly verdict: RouteVerdict }): void {
    if (this.#logged === verdict.found) return;
    this.#logged = verdict.found;
    const { found, advice } = verdict;
    this.#options.logger.warn(
      {
        event: "network.fault",
        ...(proxy !== null && { variable: proxy.variable, proxy: hideCredentials(proxy.url) }),
        advice,
      },
      found,
    );
  }
}

/** Chooses the way that Codex takes to this base URL, and tries it. Never rejects. */
export async function inspectNetwork(
  target: string,
  environment: Readonly<Record<string, string | undefined>>,
  signal?: AbortSignal,
): Promise<NetworkState> {
  const proxy = chooseProxy(target, environment);
  if (!URL.canParse(target)) return { proxy, verdict: null };
  const unusable = findUnusableProxy(target, environment);
  if (unusable !== null && !unusable.isPartial) return { proxy, verdict: unusable };
  const roots = await readTrustedRoots(environment);
  const limits = { timeoutMs: probeTimeoutMs, ...(signal !== undefined && { signal }) };
  const fault = await probeRoute({ target, proxy, roots }, limits);
  return { proxy, verdict: fault === null ? unusable : describeBackendFault(fault, proxy) };
}

/** Tries the way to the model backend as Codex takes it, without a request. Null if it is open. Never rejects. */
export async function probeRoute(
  { target, proxy, roots }: Pick<Route, "target" | "proxy"> & { readonly roots: TrustedRoots },
  limits: RouteLimits,
): Promise<RouteFault | null> {
  const { certificates, fault: file } = roots;
  if (file !== null) return { kind: "certificate_file", file };
  const trust = {
    context: certificates === null ? null : createSecureContext({ ca: [...certificates] }),
    // Nothing is sent, so that what cannot be judged does no harm.
    isJudge: certificates !== null,
  };
  const { fault, socket } = await openRoute({ target, proxy, trust }, limits);
  socket?.destroy();
  return fault;
}
