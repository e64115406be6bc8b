/** Callers' tokens: reads them from each source, and checks that they are strong enough for the address. */
import { dirname } from "node:path";
import { parseJson } from "./config-file.js";
import type { LayeredSettings } from "./layers.js";
import { readPrivateFile, resolvePath } from "./machine.js";
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

const layerRank = { host: 4, flag: 3, environment: 2, file: 1, default: 0 } as const;

/** Reads every option of `auth`, for a service that listens on `host`. */
export function readAuth(settings: LayeredSettings, host: string): AuthConfig {
  const faultsBefore = settings.faults.length;
  const auth = { token: readAuthToken(settings), tokens: readNamedTokens(settings) };
  refuseSharedToken(settings, auth);
  const hasFault = settings.isFaulty(listenOptions.host, ...Object.values(authOptions));
  if (settings.faults.length === faultsBefore && !hasFault) refuseOpenListener(settings, host, auth);
  return auth;
}

/** Of a token and a token file the one from the higher layer wins; both from one layer are a fault. */
function readAuthToken(settings: LayeredSettings): string | null {
  const token = settings.read(authOptions.token);
  const path = settings.read(authOptions.tokenFile);
  if (path === null) return token;
  const tokenOrigin = settings.originOf(authOptions.token);
  const fileOrigin = settings.originOf(authOptions.tokenFile);
  const lead = token === null ? 1 : layerRank[fileOrigin.layer] - layerRank[tokenOrigin.layer];
  if (lead < 0) return token;
  if (lead === 0) {
    settings.refuse(
      fileOrigin.name,
      `sets the token a second time, beside ${tokenOrigin.name}; keep only one`,
    );
    return token;
  }
  settings.origins.set(authOptions.token.key, fileOrigin);
  return readTokenFile(settings, path, fileOrigin.name);
}

function readTokenFile(settings: LayeredSettings, path: string, namedBy: string): string | null {
  const file = readPrivateFile(path, settings.machine);
  const token = "text" in file ? file.text.trim() : "";
  if (isTokenText(token)) return token;
  const problem =
    "problem" in file
      ? file.problem
      : `${path} must hold exactly one token, of visible ASCII characters without spaces`;
  settings.refuse(namedBy, problem, JSON.stringify(path));
  return null;
}

/** Beyond loopback only a token stands between the network and the user's subscription. */
function refuseOpenListener(settings: LayeredSettings, host: string, { token, tokens }: AuthConfig): void {
  const isClosed = token === null ? tokens.length > 0 : token.length >= minStrongTokenChars;
  if (isLoopbackHost(host) || isClosed) return;
  const lack = token === null ? "there is no token" : `the token has ${token.length} characters`;
  const problem = `"${host}" is reachable from other machines and ${lack}; set CODEX_NATIVE_API_AUTH_TOKEN_FILE to a file with a token of at least ${minStrongTokenChars} characters, or bind 127.0.0.1`;
  settings.refuse(settings.originOf(listenOptions.host).name, problem, JSON.stringify(host));
}

function refuseSharedToken(settings: LayeredSettings, { token, tokens }: AuthConfig): void {
  const digest = token === null ? null : digestToken(token);
  const twin = tokens.find(({ sha256 }) => sha256 === digest);
  if (twin !== undefined)
    settings.refuse(`the token "${twin.name}"`, "is the same token as auth.token; choose another");
}

/** Entries with the place they come from. */
interface TokenList {
  readonly entries: readonly TokenEntry[];
  readonly baseDir: string;
  readonly nameInner: (inner: string) => string;
}

/** The tokens of both sources together: they are lists of callers, so that neither replaces the other. */
function readNamedTokens(settings: LayeredSettings): readonly NamedToken[] {
  const tokens: NamedToken[] = [];
  const lists = [locateTokenList(settings), readTokensFile(settings)].filter((list) => list !== null);
  for (const list of lists) {
    for (const [index, entry] of list.entries.entries()) {
      const nameKey = (key: string) => list.nameInner(`[${index}]${key}`);
      const sha256 = readDigest(settings, entry, list.baseDir, nameKey);
      const problem = findDuplicate(entry.name, sha256, tokens);
      if (problem !== null) settings.refuse(nameKey(""), problem);
      tokens.push({
        name: entry.name,
        sha256: sha256 ?? "",
        models: entry.models ?? null,
        maxConcurrentTurns: entry.maxConcurrentTurns ?? null,
        priority: entry.priority ?? "interactive",
        disabled: entry.disabled ?? false,
      });
    }
  }
  return tokens;
}

function locateTokenList(settings: LayeredSettings): TokenList | null {
  const located = settings.locate(authOptions.tokens);
  if (located === null) return null;
  const { value: entries, layer } = located;
  const nameInner = (inner: string) => layer.nameOption(authOptions.tokens, inner);
  return { entries, baseDir: layer.baseDir, nameInner };
}

function readTokensFile(settings: LayeredSettings): TokenList | null {
  const path = settings.read(authOptions.tokensFile);
  if (path === null) return null;
  const refuse = (problem: string): null => {
    settings.refuse(settings.originOf(authOptions.tokensFile).name, problem, JSON.stringify(path));
    return null;
  };
  const file = readPrivateFile(path, settings.machine);
  if ("problem" in file) return refuse(file.problem);
  const parsed = parseJson(file.text);
  if ("fault" in parsed) return refuse(`${path} is not JSON: ${parsed.fault}`);
  const list = tokenListSchema.safeParse(parsed.value);
  const nameInner = (inner: string) => `${inner} in ${path}`;
  if (list.success) return { entries: list.data, baseDir: dirname(path), nameInner };
  for (const { path: inner, problem } of explainTokenList(parsed.value))
    settings.refuse(inner === "" ? path : nameInner(inner), problem);
  return null;
}

/** Null where the entry has a fault. */
function readDigest(
  settings: LayeredSettings,
  { token, tokenFile, sha256 }: TokenEntry,
  baseDir: string,
  nameKey: (key: string) => string,
): string | null {
  if ([token, tokenFile, sha256].filter((value) => value !== undefined).length !== 1) {
    settings.refuse(nameKey(""), "needs exactly one of token, tokenFile and sha256");
    return null;
  }
  if (sha256 !== undefined) return sha256.toLowerCase();
  if (token !== undefined) return digestToken(token);
  const path = resolvePath(tokenFile ?? "", baseDir, settings.machine);
  const source = nameKey(".tokenFile");
  const read = readTokenFile(settings, path, source);
  if (read === null) return null;
  if (read.length >= minStrongTokenChars) return digestToken(read);
  const problem = `${path} holds a token of ${read.length} characters; it takes at least ${minStrongTokenChars}`;
  settings.refuse(source, problem);
  return null;
}

/** Why a token cannot stand beside the others: with the same name or token, two callers would look alike. */
function findDuplicate(name: string, sha256: string | null, others: readonly NamedToken[]): string | null {
  if (name === defaultTokenName) return `"${defaultTokenName}" is the name of auth.token; choose another`;
  if (others.some((other) => other.name === name)) return `there is another token "${name}"`;
  const twin = sha256 === null ? undefined : others.find((other) => other.sha256 === sha256);
  return twin === undefined ? null : `is the same token as "${twin.name}"`;
}
