/** What can be wrong with the way to a server elsewhere, and what is said of it. No address and no password is in the words. */
import { type ChosenProxy, hasCredentials } from "./outbound-route.js";
import type { CertificateFileFault } from "./trusted-roots.js";

/** Why no request reaches the server on this way. */
export type RouteFault =
  | { readonly kind: "certificate_file"; readonly file: CertificateFileFault }
  /** No connection; `reason` is the system's code. */
  | { readonly kind: "unreachable"; readonly of: "proxy" | "server"; readonly reason: string }
  | { readonly kind: "silent"; readonly of: "proxy" | "server" }
  /** The proxy closed the connection, or answered what is no HTTP. */
  | { readonly kind: "hung_up" }
  /** The proxy's answer to the request for a tunnel. */
  | { readonly kind: "refused"; readonly status: number }
  /** `authority`: who signed the certificate, as it says itself. */
  | { readonly kind: "certificate"; readonly reason: string; readonly authority: string | null };

/** What differs between the servers. */
export interface RouteWords {
  /** Behind "the". */
  readonly server: string;
  /** What to do about the authority of a proxy that reads TLS. */
  readonly trust: string;
  /** Ends an advice to change a setting. */
  readonly restart: string;
}

export interface RouteVerdict {
  /** One sentence; names the variable. */
  readonly found: string;
  /** What to do, in one or two sentences. */
  readonly advice: string;
  /** Whether the same request may succeed later without a change of the settings. */
  readonly mayPass: boolean;
  /** Some requests get through all the same. */
  readonly isPartial?: true;
}

/** `words`: of the server that the way leads to. */
export function describeRouteFault(
  fault: RouteFault,
  proxy: ChosenProxy | null,
  words: RouteWords,
): RouteVerdict {
  const theProxy = proxy === null ? "The proxy" : `The proxy that ${proxy.variable} names`;
  const { server, restart } = words;
  switch (fault.kind) {
    case "certificate_file": {
      const { variable, problem } = fault.file;
      const found = problem === "unreadable" ? "cannot be read" : "has no certificate in PEM form";
      return lasting(`The file that ${variable} names ${found}.`, `Correct ${variable}. ${restart}`);
    }
    case "certificate":
      return describeCertificate(fault, words);
    case "refused":
      return describeRefusal(fault.status, proxy, { ...words, theProxy });
    case "unreachable":
      return fault.of === "proxy"
        ? passing(`${theProxy} cannot be reached (${fault.reason}).`, checkProxy)
        : passing(`The ${server} cannot be reached (${fault.reason}).`, behind(proxy));
    case "silent":
      return fault.of === "proxy"
        ? passing(`${theProxy} does not answer.`, checkProxy)
        : passing(`The ${server} does not answer.`, behind(proxy));
    case "hung_up":
      return proxy === null
        ? passing(`The connection to the ${server} is closed at once.`, behind(proxy))
        : passing(
            `${theProxy} closes the connection without an answer.`,
            "Check that it is an HTTP proxy and works.",
          );
  }
}

const checkProxy = "Check that it runs and that its address is right.";

function describeRefusal(
  status: number,
  proxy: ChosenProxy | null,
  { theProxy, server, restart }: RouteWords & { readonly theProxy: string },
): RouteVerdict {
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
    `${theProxy} refuses connections to the ${server} (${status}).`,
    `Have it allow the host of the ${server}, or name another proxy. ${restart}`,
  );
}

function describeCertificate(
  { reason, authority }: Extract<RouteFault, { kind: "certificate" }>,
  { server, trust, restart }: RouteWords,
): RouteVerdict {
  const signer = authority === null ? "" : ` It is signed by "${authority}".`;
  return lasting(
    `The TLS certificate on the way to the ${server} is not trusted (${reason}).${signer}`,
    `If a proxy of your network reads TLS, ${trust} ${restart}`,
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
