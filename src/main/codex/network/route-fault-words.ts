/** What a caller, the log and `doctor` hear of a fault on the way to the model backend. No address and no password is in it. */
import { type ChosenProxy, hasCredentials } from "../../config/outbound-route.js";
import type { RouteFault } from "./probe-route.js";

export interface RouteVerdict {
  /** One sentence; names the variable. */
  readonly found: string;
  /** What to do, in one or two sentences. */
  readonly advice: string;
  /** Whether the same request may succeed later without a change of the settings. */
  readonly mayPass: boolean;
}

const restart = "Then start the service again.";

export function describeRouteFault(fault: RouteFault, proxy: ChosenProxy | null): RouteVerdict {
  const theProxy = proxy === null ? "The proxy" : `The proxy that ${proxy.variable} names`;
  switch (fault.kind) {
    case "certificate_file": {
      const { variable, problem } = fault.file;
      const found = problem === "unreadable" ? "cannot be read" : "has no certificate in PEM form";
      return lasting(`The file that ${variable} names ${found}.`, `Correct ${variable}. ${restart}`);
    }
    case "certificate":
      return describeCertificate(fault);
    case "refused":
      return describeRefusal(fault.status, theProxy, proxy);
    case "unreachable":
      return fault.of === "proxy"
        ? passing(
            `${theProxy} cannot be reached (${fault.reason}).`,
            "Check that it runs and that its address is right.",
          )
        : passing(`The model backend cannot be reached (${fault.reason}).`, behind(proxy));
    case "silent":
      return fault.of === "proxy"
        ? passing(`${theProxy} does not answer.`, "Check that it runs and that its address is right.")
        : passing("The model backend does not answer.", behind(proxy));
    case "hung_up":
      return proxy === null
        ? passing("The connection to the model backend is closed at once.", behind(proxy))
        : passing(
            `${theProxy} closes the connection without an answer.`,
            "Check that it is an HTTP proxy and works.",
          );
  }
}

function describeRefusal(status: number, theProxy: string, proxy: ChosenProxy | null): RouteVerdict {
  if (status === 407)
    return proxy !== null && hasCredentials(proxy.url)
      ? lasting(`${theProxy} refuses the user and password in its address (407).`, `Correct them. ${restart}`)
      : lasting(
          `${theProxy} asks for a user and password (407).`,
          `Write USER:PASSWORD@ before the host in its address, percent-encoded. ${restart}`,
        );
  if (status >= 500)
    return passing(`${theProxy} answered ${status}.`, "Try again, or check the proxy and its own network.");
  return lasting(
    `${theProxy} refuses connections to the model backend (${status}).`,
    `Have it allow the backend's host, or name another proxy. ${restart}`,
  );
}

function describeCertificate({
  reason,
  authority,
}: Extract<RouteFault, { kind: "certificate" }>): RouteVerdict {
  const signer = authority === null ? "" : ` It is signed by "${authority}".`;
  return lasting(
    `The TLS certificate on the way to the model backend is not trusted (${reason}).${signer}`,
    "If a proxy of your network reads TLS, name its certificate authority (a file in PEM form) in CODEX_CA_CERTIFICATE or SSL_CERT_FILE; Codex does not read NODE_EXTRA_CA_CERTS. " +
      restart,
  );
}

function behind(proxy: ChosenProxy | null): string {
  return proxy === null
    ? "Check the network. If your network has a proxy, name it in HTTPS_PROXY."
    : `Check the network behind the proxy that ${proxy.variable} names.`;
}

function lasting(found: string, advice: string): RouteVerdict {
  return { found, advice, mayPass: false };
}

function passing(found: string, advice: string): RouteVerdict {
  return { found, advice, mayPass: true };
}
