import type { ChosenProxy } from "../../outbound/outbound-route.js";
import { describeRouteFault, type RouteFault, type RouteVerdict } from "../../outbound/route-fault.js";

/** What a caller, the log and `doctor` hear of a fault on the way to the model backend. */
export function describeBackendFault(fault: RouteFault, proxy: ChosenProxy | null): RouteVerdict {
  return describeRouteFault(fault, proxy, {
    server: "model backend",
    trust:
      "name its certificate authority (a file in PEM form) in CODEX_CA_CERTIFICATE or SSL_CERT_FILE; Codex does not read NODE_EXTRA_CA_CERTS.",
    restart: "Then start the service again.",
  });
}
