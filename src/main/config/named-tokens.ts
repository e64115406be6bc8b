/** Collects the named tokens of the config file and of the tokens file, and turns each into its digest. */
import { dirname } from "node:path";
import { readTokenFile } from "./auth-token.js";
import { parseJson } from "./config-file.js";
import type { ConfigFault } from "./faults.js";
import type { LayeredSettings } from "./layers.js";
import type { Machine } from "./machine.js";
import { defaultTokenName, digestToken, minStrongTokenChars, type NamedToken } from "./named-token.js";
import type { OptionSpec } from "./option-spec.js";
import { explainTokenList, type TokenEntry, tokenListSchema } from "./token-entries.js";

export interface NamedTokenOptions {
  readonly authTokens: OptionSpec<readonly TokenEntry[]>;
  readonly authTokensFile: OptionSpec<string, null>;
}

export interface NamedTokensRead {
  readonly tokens: readonly NamedToken[];
  readonly faults: readonly ConfigFault[];
}

/** Entries with where they stand. */
interface TokenList {
  readonly entries: readonly TokenEntry[];
  readonly baseDir: string;
  readonly nameInner: (inner: string) => string;
}

/** Both places add up: they are lists of callers, and not two answers to one question. */
export function readNamedTokens(
  settings: LayeredSettings,
  options: NamedTokenOptions,
  machine: Machine,
): NamedTokensRead {
  const inFile = settings.locate(options.authTokens);
  const lists: TokenList[] = inFile === null ? [] : [{ ...inFile, entries: inFile.value }];
  const faults: ConfigFault[] = [];
  const path = settings.readPath(options.authTokensFile);
  if (path !== null) {
    const read = readTokensFile(path, machine, settings.originOf(options.authTokensFile).name);
    if ("faults" in read) faults.push(...read.faults);
    else lists.push(read);
  }
  const tokens: NamedToken[] = [];
  for (const list of lists) {
    for (const [index, entry] of list.entries.entries()) {
      const source = list.nameInner(`[${index}]`);
      const nameKey = (key: string) => list.nameInner(`[${index}].${key}`);
      const digest = readDigest(entry, { ...list, source, nameKey }, settings, machine);
      if ("faults" in digest) faults.push(...digest.faults);
      const token = makeToken(entry, "sha256" in digest ? digest.sha256 : "");
      faults.push(...refuseTwins(token, tokens, source));
      tokens.push(token);
    }
  }
  return { tokens, faults };
}

function readTokensFile(
  path: string,
  machine: Machine,
  namedBy: string,
): TokenList | { readonly faults: readonly ConfigFault[] } {
  const refuse = (problem: string) => ({
    faults: [{ source: namedBy, given: JSON.stringify(path), problem }],
  });
  const file = machine.readFile(path);
  if (file.kind === "missing") return refuse(`there is no file ${path}`);
  if (file.kind === "unreadable") return refuse(`${path} cannot be read (${file.reason})`);
  if (!file.isPrivate) return refuse(`others may read or write ${path}; allow only yourself (chmod 600)`);
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

interface EntryPlace {
  readonly baseDir: string;
  readonly source: string;
  readonly nameKey: (key: string) => string;
}

function readDigest(
  entry: TokenEntry,
  { baseDir, source, nameKey }: EntryPlace,
  settings: LayeredSettings,
  machine: Machine,
): { readonly sha256: string } | { readonly faults: readonly ConfigFault[] } {
  const { token, tokenFile, sha256 } = entry;
  const given = [token, tokenFile, sha256].filter((value) => value !== undefined);
  if (given.length !== 1) {
    const problem = "needs one of token, tokenFile and sha256, and only one";
    return { faults: [{ source, given: null, problem }] };
  }
  if (sha256 !== undefined) return { sha256: sha256.toLowerCase() };
  if (token !== undefined) return { sha256: digestToken(token) };
  const path = settings.resolvePath(tokenFile ?? "", baseDir);
  const read = readTokenFile(path, machine.readFile(path), nameKey("tokenFile"));
  if (read.token === null) return { faults: read.faults };
  if (read.token.length >= minStrongTokenChars) return { sha256: digestToken(read.token) };
  const problem = `${path} holds a token of ${read.token.length} characters; it takes at least ${minStrongTokenChars}`;
  return { faults: [{ source: nameKey("tokenFile"), given: null, problem }] };
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
function refuseTwins(
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
