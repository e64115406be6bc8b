import type { Environment } from "./directories.js";
import { type ConfigFault, refuseName } from "./faults.js";
import type { ConfigLayer } from "./layers.js";
import { envPrefix, type OptionSpec } from "./option-spec.js";

export interface EnvironmentRead {
  readonly layer: ConfigLayer;
  readonly faults: readonly ConfigFault[];
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
): EnvironmentRead {
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
