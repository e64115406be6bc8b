/** Callers' tokens: where each comes from, and whether they are strong enough for where the service listens. */
import { dirname } from "node:path";
import { parseJson } from "./config-file.js";
import type { ConfigFault } from "./faults.js";
import type { LayeredSettings, OptionOrigin } from "./layers.js";
import { type Machine, readPrivateFile, resolvePath } from "./machine.js";
import {
  defaultTokenName,
  digestToken,
  isTokenText,
  minStrongTokenChars,
  type NamedToken,
} from "./named-token.js";
import { isLoopbackHost } from "./network-names.js";
import { authOptions, listenOptions } from "./service-options.js";
import { explainTokenList, type TokenEntry, tokenListSchema } from "./token-entries.js";
import type { AuthConfig } from "./types.js";

/** What was read, or nothing and why not. */
type Read<T> = { readonly value: T; readonly faults: readonly ConfigFault[] };

const layerRank = { host: 4, flag: 3, environment: 2, file: 1, default: 0 } as const;

/** All that `auth` says, for a service that listens on `host`. */
export function readAuth(settings: LayeredSettings, machine: Machine, host: string): Read<AuthConfig> {
  const single = readAuthToken(settings, machine);
  const named = readNamedTokens(settings, machine);
  const value = { token: single.value, tokens: named.value };
  const faults = [...single.faults, ...named.faults, ...refuseSharedToken(value)];
  const isDecided =
    faults.length === 0 && !settings.isFaulty(listenOptions.host, ...Object.values(authOptions));
  const open = isDecided ? refuseOpenListener(host, value, settings.originOf(listenOptions.host)) : [];
  return { value, faults: [...faults, ...open] };
}

/** Of a token and a token file the higher layer wins; from one layer both are a contradiction. */
function readAuthToken(settings: LayeredSettings, machine: Machine): Read<string | null> {
  const token = settings.read(authOptions.token);
  const path = settings.read(authOptions.tokenFile);
  if (path === null) return { value: token, faults: [] };
  const tokenOrigin = settings.originOf(authOptions.token);
  const fileOrigin = settings.originOf(authOptions.tokenFile);
  const lead = token === null ? 1 : layerRank[fileOrigin.layer] - layerRank[tokenOrigin.layer];
  if (lead < 0) return { value: token, faults: [] };
  if (lead === 0) {
    const problem = `gives the token a second time, beside ${tokenOrigin.name}; keep one of them`;
    return { value: token, faults: [{ source: fileOrigin.name, given: null, problem }] };
  }
  settings.recordOrigin(authOptions.token, fileOrigin);
  return readTokenFile(path, machine, fileOrigin.name);
}

function readTokenFile(path: string, machine: Machine, namedBy: string): Read<string | null> {
  const file = readPrivateFile(path, machine);
  if ("text" in file && isTokenText(file.text.trim())) return { value: file.text.trim(), faults: [] };
  const problem =
    "problem" in file
      ? file.problem
      : `${path} has to hold one token of visible ASCII characters and nothing else`;
  return { value: null, faults: [{ source: namedBy, given: JSON.stringify(path), problem }] };
}

/** Beyond loopback a token is all that stands between the network and the user's subscription. */
function refuseOpenListener(
  host: string,
  { token, tokens }: AuthConfig,
  origin: OptionOrigin,
): readonly ConfigFault[] {
  const isClosed = token === null ? tokens.length > 0 : token.length >= minStrongTokenChars;
  if (isLoopbackHost(host) || isClosed) return [];
  const lack = token === null ? "there is no token" : `the token has ${token.length} characters`;
  const problem = `"${host}" is reachable from other machines and ${lack}; give CODEX_NATIVE_API_AUTH_TOKEN_FILE a token of at least ${minStrongTokenChars} characters, or bind 127.0.0.1`;
  return [{ source: origin.name, given: JSON.stringify(host), problem }];
}

function refuseSharedToken({ token, tokens }: AuthConfig): readonly ConfigFault[] {
  const digest = token === null ? null : digestToken(token);
  const twin = tokens.find(({ sha256 }) => sha256 === digest);
  if (twin === undefined) return [];
  const problem = "holds the same token as auth.token; give it one of its own";
  return [{ source: `the token "${twin.name}"`, given: null, problem }];
}

/** Entries with where they stand. */
interface TokenList {
  readonly entries: readonly TokenEntry[];
  readonly baseDir: string;
  readonly nameInner: (inner: string) => string;
}

/** Both places add up: they are lists of callers, and not two answers to one question. */
function readNamedTokens(settings: LayeredSettings, machine: Machine): Read<readonly NamedToken[]> {
  const lists: TokenList[] = [];
  const inFile = settings.locate(authOptions.tokens);
  if (inFile !== null) {
    const { value: entries, layer } = inFile;
    const nameInner = (inner: string) => layer.nameOption(authOptions.tokens, inner);
    lists.push({ entries, baseDir: layer.baseDir, nameInner });
  }
  const faults: ConfigFault[] = [];
  const path = settings.read(authOptions.tokensFile);
  if (path !== null) {
    const read = readTokensFile(path, machine, settings.originOf(authOptions.tokensFile).name);
    if ("faults" in read) faults.push(...read.faults);
    else lists.push(read);
  }
  const tokens: NamedToken[] = [];
  for (const list of lists) {
    for (const [index, entry] of list.entries.entries()) {
      const nameKey = (key: string) => list.nameInner(`[${index}]${key}`);
      const digest = readDigest(entry, list.baseDir, nameKey, machine);
      const token = makeToken(entry, digest.value);
      faults.push(...digest.faults, ...rejectDuplicates(token, tokens, nameKey("")));
      tokens.push(token);
    }
  }
  return { value: tokens, faults };
}

function readTokensFile(
  path: string,
  machine: Machine,
  namedBy: string,
): TokenList | { readonly faults: readonly ConfigFault[] } {
  const refuse = (problem: string) => ({
    faults: [{ source: namedBy, given: JSON.stringify(path), problem }],
  });
  const file = readPrivateFile(path, machine);
  if ("problem" in file) return refuse(file.problem);
  const parsed = parseJson(file.text);
  if ("fault" in parsed) return refuse(`${path} is not JSON: ${parsed.fault}`);
  const list = tokenListSchema.safeParse(parsed.value);
  const nameInner = (inner: string) => `${inner} in ${path}`;
  if (list.success) return { entries: list.data, baseDir: dirname(path), nameInner };
  const inner = explainTokenList(parsed.value);
  return {
    faults: inner.map((fault) => ({
      source: fault.path === "" ? path : nameInner(fault.path),
      given: null,
      problem: fault.problem,
    })),
  };
}

/** The digest is empty where there is none. */
function readDigest(
  { token, tokenFile, sha256 }: TokenEntry,
  baseDir: string,
  nameKey: (key: string) => string,
  machine: Machine,
): Read<string> {
  const refuse = (key: string, problem: string) => ({
    value: "",
    faults: [{ source: nameKey(key), given: null, problem }],
  });
  const given = [token, tokenFile, sha256].filter((value) => value !== undefined);
  if (given.length !== 1) return refuse("", "needs one of token, tokenFile and sha256, and only one");
  if (sha256 !== undefined) return { value: sha256.toLowerCase(), faults: [] };
  if (token !== undefined) return { value: digestToken(token), faults: [] };
  const path = resolvePath(tokenFile ?? "", baseDir, machine);
  const read = readTokenFile(path, machine, nameKey(".tokenFile"));
  if (read.value === null) return { value: "", faults: read.faults };
  if (read.value.length >= minStrongTokenChars) return { value: digestToken(read.value), faults: [] };
  const problem = `${path} holds a token of ${read.value.length} characters; it takes at least ${minStrongTokenChars}`;
  return refuse(".tokenFile", problem);
}

function makeToken(entry: TokenEntry, sha256: string): NamedToken {
  return {
    name: entry.name,
    sha256,
    models: entry.models ?? null,
    maxConcurrentTurns: entry.maxConcurrentTurns ?? null,
    priority: entry.priority ?? "interactive",
    disabled: entry.disabled ?? false,
  };
}

/** Two callers of one name, or with one token, could not be told apart. */
function rejectDuplicates(
  token: NamedToken,
  others: readonly NamedToken[],
  source: string,
): readonly ConfigFault[] {
  const refuse = (problem: string): readonly ConfigFault[] => [{ source, given: null, problem }];
  if (token.name === defaultTokenName)
    return refuse(`"${defaultTokenName}" is the name of auth.token; take another`);
  if (others.some(({ name }) => name === token.name)) return refuse(`there is another token "${token.name}"`);
  const twin = others.find(({ sha256 }) => sha256 !== "" && sha256 === token.sha256);
  return twin === undefined ? [] : refuse(`holds the same token as "${twin.name}"`);
}
