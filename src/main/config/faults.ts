/** The faults of a configuration, in words. */
import type { OptionSpec } from "./option.js";
import { suggestName } from "./suggest-name.js";

/** One fault of the configuration. All of them are reported together. */
export interface ConfigFault {
  /** The flag, variable or key at fault, as the user wrote it. */
  readonly source: string;
  /** The value given, as it may be shown; null when none was given, or when it is a secret. */
  readonly given: string | null;
  /** The fault and the values allowed, in one sentence. */
  readonly problem: string;
}

export function faultAt(source: string, problem: string, given: string | null = null): ConfigFault {
  return { source, given, problem };
}

export function formatFault({ source, problem }: ConfigFault): string {
  return `${source}: ${problem}`;
}

/** The fault of a value that the option does not take. */
export function refuseValue(spec: OptionSpec, source: string, value: unknown): ConfigFault {
  const { allowed, unit, show } = spec.type;
  const given = spec.secret ? null : show(value);
  const subject = given ?? "the value given (not shown)";
  const takes = unit === null ? allowed : `${allowed} (${unit})`;
  return faultAt(source, `${subject} is not allowed; it takes ${takes}`, given);
}

/** The fault of an unknown name; `known` are all names, written the way this source writes them. */
export function refuseName(
  source: string,
  kind: string,
  name: string,
  known: readonly string[],
): ConfigFault {
  const suggestion = suggestName(name, known);
  const hint = suggestion === null ? "" : `; did you mean ${suggestion}?`;
  return faultAt(source, `there is no such ${kind}${hint}`);
}
