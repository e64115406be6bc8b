import type { OptionSpec } from "./option-spec.js";
import { suggestName } from "./suggest-name.js";

/** One thing that is wrong with the configuration. All of them are reported together. */
export interface ConfigFault {
  /** The flag, variable or key at fault, as the user wrote it. */
  readonly source: string;
  /** What was given, as it may be shown; null when nothing was, or when it is a secret. */
  readonly given: string | null;
  /** What is wrong and what is allowed, in one sentence. */
  readonly problem: string;
}

export function formatFault(fault: ConfigFault): string {
  return `${fault.source}: ${fault.problem}`;
}

/** The value is not one of those the option takes. */
export function refuseValue(spec: OptionSpec, source: string, value: unknown): ConfigFault {
  const given = showValue(spec, value);
  const unit = spec.unit === null ? "" : ` (${spec.unit})`;
  const subject = given ?? "the value given (not shown)";
  return { source, given, problem: `${subject} is not allowed; it takes ${spec.type.allowed}${unit}` };
}

/** The name is not one of ours; `known` are ours, written the way this source writes names. */
export function refuseName(
  source: string,
  kind: string,
  name: string,
  known: readonly string[],
): ConfigFault {
  const suggestion = suggestName(name, known);
  const hint = suggestion === null ? "" : `; did you mean ${suggestion}?`;
  return { source, given: null, problem: `there is no such ${kind}${hint}` };
}

/** A value as it may be shown; null for a secret. */
export function showValue(spec: OptionSpec, value: unknown): string | null {
  return spec.secret ? null : spec.type.show(value);
}
