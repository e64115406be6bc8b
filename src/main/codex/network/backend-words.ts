/** What a caller, the log and `doctor` hear of a fault on the way to the model backend. */
import { type ChosenProxy, chooseProxy, nameProxy } from "../../outbound/outbound-route.js";
import { describeRouteFault, type RouteFault, type RouteVerdict } from "../../outbound/route-fault.js";

const restart = "Then start the service again.";

export function describeBackendFault(fault: RouteFault, proxy: ChosenProxy | null): RouteVerdict {
  return describeRouteFault(fault, proxy, {
    server: "model backend",
    trust:
      "name its certificate authority (a file in PEM form) in CODEX_CA_CERTIFICATE or SSL_CERT_FILE; Codex does not read NODE_EXTRA_CA_CERTS, and in SSL_CERT_DIR only files named by hash (openssl rehash).",
    restart,
  });
}

/** Why Codex cannot use the proxy that the variables name for this backend; null if it can, or if they name none. Measured with Codex 0.171. */
export function findUnusableProxy(
  target: string,
  env: Readonly<Record<string, string | undefined>>,
): RouteVerdict | null {
  const named = nameProxy(target, env);
  if (named === null) return null;
  const { variable } = named;
  const proxy = chooseProxy(target, env);
  const scheme = proxy === null ? null : new URL(proxy.url).protocol;
  const advice = `Name an HTTP proxy in it, by an address of http or https. ${restart}`;
  switch (scheme) {
    case "http:":
    case "https:":
      return null;
    case "socks5:":
    case "socks5h:":
      return {
        found: `The proxy that ${variable} names is a SOCKS proxy, which Codex takes for WebSockets alone: its plain requests fail.`,
        advice,
        mayPass: false,
        isPartial: true,
      };
    case "socks4:":
    case "socks4a:":
      return {
        found: `The proxy that ${variable} names is a SOCKS4 proxy, which Codex does not take.`,
        advice,
        mayPass: false,
      };
    default:
      return {
        found: `${variable} does not name a proxy that Codex knows: its requests go out without one.`,
        advice,
        mayPass: false,
      };
  }
}
