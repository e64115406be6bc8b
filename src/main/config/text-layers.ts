/** The layers that are given as text: flags and environment variables. Values are checked later, with those of the config file. */
import { parseArgs } from "node:util";
import { type ConfigFault, refuseName } from "./faults.js";
import type { ConfigLayer } from "./layers.js";
import type { Environment } from "./machine.js";
import { envPrefix, type OptionSpec } from "./option.js";

type Token = NonNullable<ReturnType<typeof tokenize>>[number];

/** What a layer gives, and what of it is not ours. */
export interface LayerRead {
  readonly layer: ConfigLayer;
  readonly faults: readonly ConfigFault[];
}

/** Reads the flags of a command line. */
export function readFlags(
  argv: readonly string[],
  specs: readonly OptionSpec[],
  workingDir: string,
): LayerRead {
  const flagged = specs.filter((spec) => spec.flag !== null);
  const byFlag = new Map(flagged.map((spec) => [spec.flag, spec]));
  const texts = new Map<OptionSpec, string[]>();
  const faults: ConfigFault[] = [];
  let follows = false;
  for (const token of tokenize(argv, flagged)) {
    const spec = token.kind === "option" ? byFlag.get(token.name) : undefined;
    const fault: ConfigFault | null =
      spec === undefined ? refuseToken(token, flagged, follows) : refuseFlag(spec, token, texts);
    if (fault !== null) faults.push(fault);
    else if (spec !== undefined) texts.set(spec, [...(texts.get(spec) ?? []), readValue(token) ?? ""]);
    // What stands behind a refused flag is most likely its value: one fault is enough.
    follows = fault !== null && token.kind === "option" && token.inlineValue !== true;
  }
  return { layer: makeLayer(texts, workingDir), faults };
}

/** Not strict, because strict parsing stops at the first fault. */
function tokenize(argv: readonly string[], specs: readonly OptionSpec[]) {
  const known = specs.map((spec) => [spec.flag ?? "", { type: "string", multiple: true }] as const);
  return parseArgs({ args: [...argv], options: Object.fromEntries(known), strict: false, tokens: true })
    .tokens;
}

function refuseToken(token: Token, specs: readonly OptionSpec[], follows: boolean): ConfigFault | null {
  if (token.kind === "option-terminator") return null;
  if (token.kind === "positional") {
    return follows ? null : { source: token.value, given: null, problem: "is one argument too many" };
  }
  return refuseName(
    token.rawName,
    "flag",
    token.rawName,
    specs.map((spec) => `--${spec.flag}`),
  );
}

function refuseFlag(
  spec: OptionSpec,
  token: Token,
  texts: ReadonlyMap<OptionSpec, unknown>,
): ConfigFault | null {
  const source = `--${spec.flag}`;
  const value = readValue(token);
  if (value === undefined) return { source, given: null, problem: `needs a value: ${spec.type.allowed}` };
  if (texts.has(spec) && !spec.type.repeatable)
    return { source, given: null, problem: "is given more than once" };
  return null;
}

/** `--port --host x` is a forgotten value, not a port named `--host`; `--port=--host` says it is meant. */
function readValue(token: Token): string | undefined {
  if (token.kind !== "option" || token.value === undefined) return undefined;
  return token.inlineValue === false && token.value.startsWith("-") ? undefined : token.value;
}

function makeLayer(texts: ReadonlyMap<OptionSpec, readonly string[]>, workingDir: string): ConfigLayer {
  return {
    kind: "flag",
    values: new Map([...texts].map(([spec, given]) => [spec.key, spec.type.fromText(given)])),
    baseDir: workingDir,
    nameOption: (spec) => `--${spec.flag}`,
  };
}

/** Variables with our prefix that mean nothing to the service: callers and the side-task router of a host read them. */
const foreignVariables: ReadonlySet<string> = new Set(
  ["BASE_URL", "FALLBACK_BASE_URL", "FALLBACK_API_KEY", "FALLBACK_MODEL"].map(
    (name) => `${envPrefix}${name}`,
  ),
);

/** An empty variable counts as not set: compose files and unit files pass on what is unset that way. */
export function readEnvironment(
  env: Environment,
  specs: readonly OptionSpec[],
  workingDir: string,
): LayerRead {
  const values = new Map<string, unknown>();
  for (const spec of specs) {
    const text = spec.env === null ? undefined : env[spec.env];
    if (text !== undefined && text !== "") values.set(spec.key, spec.type.fromText([text]));
  }
  const known = specs.flatMap((spec) => (spec.env === null ? [] : [spec.env]));
  const strangers = Object.keys(env).filter(
    (name) => name.startsWith(envPrefix) && !known.includes(name) && !foreignVariables.has(name),
  );
  return {
    layer: { kind: "environment", values, baseDir: workingDir, nameOption: (spec) => spec.env ?? spec.key },
    faults: strangers.sort().map((name) => refuseName(name, "environment variable", name, known)),
  };
}
