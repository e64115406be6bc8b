/**
 * Keeps web pages out. A page can make a browser on this machine call a loopback port. It may use a name of its own that resolves to
 * loopback (DNS rebinding), which the Host header shows, or call across origins, which the Origin header shows.
 */
import type { IncomingHttpHeaders } from "node:http";
import { isLoopbackHost, normalizeHost, normalizeOrigin } from "../config/network-names.js";
import { CodexNativeApiError } from "../errors.js";

export class OriginGuard {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  /** @param host The address or name that the server is bound to. */
  constructor(
    host: string,
    { allowedHosts, allowedOrigins }: Readonly<Record<"allowedHosts" | "allowedOrigins", readonly string[]>>,
  ) {
    this.#hosts = new Set([host, ...allowedHosts].map((name) => normalizeHost(name) ?? name.toLowerCase()));
    this.#origins = new Set(allowedOrigins.flatMap((origin) => normalizeOrigin(origin) ?? []));
  }

  /**
   * Returns the origin of the calling page; null for a program and for the service's own page, which is not across origins.
   *
   * @throws CodexNativeApiError `host_not_allowed` or `origin_not_allowed`.
   */
  check(headers: IncomingHttpHeaders, localAddress: string | undefined): string | null {
    if (!this.#isOurHost(headers.host, localAddress)) {
      throw new CodexNativeApiError(
        "host_not_allowed",
        "The Host header names another host. Names beside loopback must be allowed by configuration.",
      );
    }
    const { host, origin } = headers;
    const isFromOutside = isCrossSite(headers["sec-fetch-site"]);
    if (origin !== undefined && this.#origins.has(origin.toLowerCase())) return origin;
    // The page that this service serves: the same scheme, name and port as it was loaded by, and the name is ours.
    if ((origin === undefined || origin === `http://${host}`) && !isFromOutside) return null;
    throw new CodexNativeApiError(
      "origin_not_allowed",
      "Pages, extensions and programs that send an Origin may call only if it is allowed (http.allowedOrigins).",
    );
  }

  #isOurHost(header: string | undefined, localAddress: string | undefined): boolean {
    const host = hostOfHeader(header);
    if (host === null) return false;
    if (isLoopbackHost(host) || this.#hosts.has(host)) return true;
    // The address that the caller connected to. An address, unlike a name, cannot be made to point elsewhere.
    return host === localAddress?.toLowerCase().replace(/^::ffff:(?=[\d.]+$)/, "");
  }
}

/** A browser sends `sec-fetch-site` also where it sends no Origin, such as for an image on another site's page. */
function isCrossSite(site: string | string[] | undefined): boolean {
  return site !== undefined && site !== "same-origin" && site !== "none";
}

const hostHeader = /^(\[[^\]]+\]|[^:]+)(?::\d{1,5})?$/;

/** The name or address without its port, and without the dot of the root zone that a name may end with. */
function hostOfHeader(header: string | undefined): string | null {
  const host = hostHeader.exec(header ?? "")?.[1]?.replace(/\.$/, "");
  return host === undefined ? null : normalizeHost(host);
}
