/**
 * Address and token of the service from the service's own variables, so that a host which runs service and router on one environment
 * gives them once.
 */
import { type Environment, type Machine, readPrivateFile, resolvePath } from "../config/machine.js";
import { normalizeHost } from "../config/network-names.js";
import { isTokenText, parseLocalApiUrl } from "./addresses.js";

/** Records a fault; `given` is the value as it may be shown. */
export type Refuse = (source: string, problem: string, given?: string | null) => void;

const hostVariable = "CODEX_NATIVE_API_HOST";
const portVariable = "CODEX_NATIVE_API_PORT";
const tokenVariable = "CODEX_NATIVE_API_AUTH_TOKEN";
const tokenFileVariable = "CODEX_NATIVE_API_AUTH_TOKEN_FILE";

/** Where a service that listens on all addresses is reached, by its host as a URL writes it. */
const loopbackOf: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "[::]": "[::1]",
  "[::ffff:0:0]": "127.0.0.1",
};

/** The loopback URL of a service with this environment; `urlVariable` names one where this cannot. Null with a fault. */
export function deriveServiceUrl(env: Environment, urlVariable: string, refuse: Refuse): string | null {
  const hostText = env[hostVariable] || "127.0.0.1";
  const portText = env[portVariable] || "43182";
  const host = normalizeHost(hostText);
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : Number.NaN;
  const shown = [hostText, portText].map((text) => JSON.stringify(text.slice(0, maxShownChars)));
  const [shownHost = "", shownPort = ""] = shown;
  if (host === null)
    refuse(hostVariable, `${shownHost} is not allowed; it takes an IP address or a host name`, shownHost);
  if (!(port <= 65_535))
    refuse(portVariable, `${shownPort} is not allowed; it takes an integer from 0 to 65535`, shownPort);
  if (port === 0) refuse(portVariable, `with 0 the service picks its port; set ${urlVariable}`, shownPort);
  if (host === null || !(port > 0 && port <= 65_535)) return null;
  const origin = `http://${host.includes(":") ? `[${host}]` : host}`;
  // No URL has an address with a zone, such as fe80::1%eth0, and loopback has none.
  const hostname = URL.canParse(origin) ? new URL(origin).hostname : null;
  const url =
    hostname === null ? null : parseLocalApiUrl(`http://${loopbackOf[hostname] ?? hostname}:${port}`);
  if (url === null)
    refuse(
      hostVariable,
      `${shownHost} is not an address of loopback, the only one that side tasks are sent to; set ${urlVariable}`,
      shownHost,
    );
  return url;
}

/** The token of a service with this environment; null where it has none, or with a fault. */
export function deriveServiceToken(env: Environment, machine: Machine, refuse: Refuse): string | null {
  const token = env[tokenVariable] || null;
  const path = env[tokenFileVariable] || null;
  if (token !== null && path !== null)
    refuse(tokenFileVariable, `sets the token a second time, beside ${tokenVariable}; keep only one`);
  else if (token !== null && !isTokenText(token))
    refuse(
      tokenVariable,
      "the value given (not shown) is not allowed; it takes visible ASCII characters without spaces",
    );
  else return path === null ? token : readTokenFile(path, machine, refuse);
  return null;
}

function readTokenFile(given: string, machine: Machine, refuse: Refuse): string | null {
  const path = resolvePath(given, machine.workingDir, machine);
  const file = readPrivateFile(path, machine);
  const token = "text" in file ? file.text.trim() : "";
  if (isTokenText(token)) return token;
  const problem =
    "problem" in file
      ? file.problem
      : `${path} must hold exactly one token, of visible ASCII characters without spaces`;
  refuse(tokenFileVariable, problem, JSON.stringify(path));
  return null;
}

const maxShownChars = 120;
