/** Where the bearer token comes from, and whether it is strong enough for where the service listens. */
import type { ConfigFault } from "./faults.js";
import type { LayeredSettings, OptionOrigin } from "./layers.js";
import type { FileRead, Machine } from "./machine.js";
import { isTokenText, minStrongTokenChars, type NamedToken } from "./named-token.js";
import { isLoopbackHost } from "./network-names.js";
import type { OptionSpec } from "./option-spec.js";

export interface TokenOptions {
  readonly host: OptionSpec;
  readonly authToken: OptionSpec<string, null>;
  readonly authTokenFile: OptionSpec<string, null>;
}

export interface TokenRead {
  readonly token: string | null;
  readonly faults: readonly ConfigFault[];
}

const layerRank = { host: 4, flag: 3, environment: 2, file: 1, default: 0 } as const;

/** Of a token and a token file the higher layer wins; from one layer both are a contradiction. */
export function readAuthToken(settings: LayeredSettings, options: TokenOptions, machine: Machine): TokenRead {
  const token = settings.read(options.authToken);
  const path = settings.readPath(options.authTokenFile);
  if (path === null) return { token, faults: [] };
  const tokenOrigin = settings.originOf(options.authToken);
  const fileOrigin = settings.originOf(options.authTokenFile);
  const lead = token === null ? 1 : layerRank[fileOrigin.layer] - layerRank[tokenOrigin.layer];
  if (lead < 0) return { token, faults: [] };
  if (lead === 0) {
    const problem = `gives the token a second time, beside ${tokenOrigin.name}; keep one of them`;
    return { token, faults: [{ source: fileOrigin.name, given: null, problem }] };
  }
  settings.recordOrigin(options.authToken, fileOrigin);
  return readTokenFile(path, machine.readFile(path), fileOrigin.name);
}

export function readTokenFile(path: string, file: FileRead, namedBy: string): TokenRead {
  const refuse = (problem: string): TokenRead => ({
    token: null,
    faults: [{ source: namedBy, given: JSON.stringify(path), problem }],
  });
  if (file.kind === "missing") return refuse(`there is no file ${path}`);
  if (file.kind === "unreadable") return refuse(`${path} cannot be read (${file.reason})`);
  if (!file.isPrivate) return refuse(`others may read or write ${path}; allow only yourself (chmod 600)`);
  const token = file.text.trim();
  if (!isTokenText(token))
    return refuse(`${path} has to hold one token of visible ASCII characters and nothing else`);
  return { token, faults: [] };
}

export interface ListenerTokens {
  /** The one without a name of its own; null: there is none. */
  readonly token: string | null;
  /** None of these is short. */
  readonly tokens: readonly NamedToken[];
}

/** Beyond loopback a token is all that stands between the network and the user's subscription. */
export function refuseOpenListener(
  host: string,
  { token, tokens }: ListenerTokens,
  origin: OptionOrigin,
): ConfigFault | null {
  const isClosed = token === null ? tokens.length > 0 : token.length >= minStrongTokenChars;
  if (isLoopbackHost(host) || isClosed) return null;
  const lack = token === null ? "there is no token" : `the token has ${token.length} characters`;
  return {
    source: origin.name,
    given: JSON.stringify(host),
    problem: `"${host}" is reachable from other machines and ${lack}; give CODEX_NATIVE_API_AUTH_TOKEN_FILE a token of at least ${minStrongTokenChars} characters, or bind 127.0.0.1`,
  };
}
