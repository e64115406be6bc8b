/** The layers that come as text: flags and environment variables. Values are checked later, with those of the config file. */
import { parseArgs } from "node:util";
import { inertVariables, variableAliases, warnOfBridgeVariables } from "./bridge-variables.js";
import { bridgePage, replacedFlags } from "./bridge-words.js";
import { type ConfigFault, faultAt, refuseName } from "./faults.js";
import type { LayerRead } from "./layers.js";
import type { Environment } from "./machine.js";
import { envPrefix, type OptionSpec } from "./option.js";

/** Splits a command line. Not strict, because strict parsing stops at the first fault. */
export function tokenize(
  argv: readonly string[],
  textFlags: readonly string[],
  switches: readonly string[] = [],
) {
  const options = Object.fromEntries([
    ...textFlags.map((flag) => [flag, { type: "string", multiple: true }] as const),
    ...switches.map((flag) => [flag, { type: "boolean" }] as const),
  ]);
  return parseArgs({ args: [...argv], options, strict: false, tokens: true }).tokens;
}

export type CommandLineToken = ReturnType<typeof tokenize>[number];

/** `--port --host x` is a forgotten value, not a port named `--host`; `--port=--host` means `--host`. */
export function readValue(token: CommandLineToken): string | undefined {
  if (token.kind !== "option" || token.value === undefined) return undefined;
  return token.inlineValue === false && token.value.startsWith("-") ? undefined : token.value;
}

/** Reads the flags of a command line. */
export function readFlags(
  argv: readonly string[],
  specs: readonly OptionSpec[],
  workingDir: string,
): LayerRead {
  const byFlag = new Map(specs.flatMap((spec) => (spec.flag === null ? [] : [[spec.flag, spec] as const])));
  const known = [...byFlag.keys()];
  const texts = new Map<OptionSpec, string[]>();
  const faults: ConfigFault[] = [];
  let followsUnknown = false;
  for (const token of tokenize(argv, known)) {
    const isExpected = !followsUnknown;
    followsUnknown = false;
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      // An argument behind a refused flag is most likely its value: one fault is enough.
      if (isExpected) faults.push(faultAt(token.value, "is one argument too many"));
      continue;
    }
    const spec = byFlag.get(token.name);
    const fault =
      spec === undefined ? refuseFlag(token.rawName, known) : takeFlag(spec, readValue(token), texts);
    if (fault === null) continue;
    faults.push(fault);
    followsUnknown = token.inlineValue !== true;
  }
  const values = new Map([...texts].map(([spec, given]) => [spec.key, spec.type.fromText(given)]));
  return {
    layer: { kind: "flag", values, baseDir: workingDir, nameOption: (spec) => `--${spec.flag}` },
    faults,
  };
}

export function refuseFlag(written: string, known: readonly string[]): ConfigFault {
  const replacement = replacedFlags.get(written);
  if (replacement !== undefined)
    return faultAt(written, `there is no such flag; ${replacement} (${bridgePage})`);
  const flags = known.map((flag) => `--${flag}`);
  return refuseName(written, "flag", written, flags);
}

function takeFlag(
  spec: OptionSpec,
  value: string | undefined,
  texts: Map<OptionSpec, string[]>,
): ConfigFault | null {
  const given = texts.get(spec) ?? [];
  if (value === undefined) return faultAt(`--${spec.flag}`, `needs a value: ${spec.type.allowed}`);
  if (given.length > 0 && !spec.type.repeatable) return faultAt(`--${spec.flag}`, "is given more than once");
  texts.set(spec, [...given, value]);
  return null;
}

/** Variables with our prefix that the service ignores: callers and the side-task router of a host read them. */
const foreignVariables: ReadonlySet<string> = new Set(
  ["BASE_URL", ...["BASE_URL", "API_KEY", "MODEL", "DIALECT", "ON"].map((name) => `FALLBACK_${name}`)].map(
    (name) => `${envPrefix}${name}`,
  ),
);

/** An empty variable counts as not set: compose files and unit files pass on unset variables that way. */
export function readEnvironment(
  env: Environment,
  specs: readonly OptionSpec[],
  workingDir: string,
): LayerRead {
  const values = new Map<string, unknown>();
  /** The variable that gives the value, by option key. */
  const sources = new Map<string, string>();
  for (const spec of specs) {
    const text = spec.env === null ? undefined : env[spec.env];
    if (text) values.set(spec.key, spec.type.fromText([text]));
  }
  const faults: ConfigFault[] = [];
  for (const { name, key, allowed, translate } of variableAliases) {
    const given = env[name];
    const spec = specs.find((candidate) => candidate.key === key);
    if (!given || spec === undefined) continue;
    const text = translate(given);
    if (text === null) {
      const shown = spec.type.show(given);
      faults.push(faultAt(name, `${shown} is not allowed; it takes ${allowed}`, shown));
    } else if (!values.has(key)) {
      values.set(key, spec.type.fromText([text]));
      sources.set(key, name);
    }
  }
  const known = [...specs.flatMap((spec) => spec.env ?? []), ...foreignVariables];
  const accepted = new Set([...known, ...inertVariables, ...variableAliases.map(({ name }) => name)]);
  const strangers = Object.keys(env).filter(
    (name) => name.startsWith(envPrefix) && env[name] && !accepted.has(name),
  );
  const nameOption = (spec: OptionSpec) => sources.get(spec.key) ?? spec.env ?? spec.key;
  return {
    layer: { kind: "environment", values, baseDir: workingDir, nameOption },
    faults: [
      ...strangers.sort().map((name) => refuseName(name, "environment variable", name, known)),
      ...faults,
    ],
    warnings: warnOfBridgeVariables(env, workingDir),
  };
}
