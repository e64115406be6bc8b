/** What is wrong with a configuration, in words. */
import type { OptionSpec } from "./option.js";

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
  const unit = spec.type.unit === null ? "" : ` (${spec.type.unit})`;
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
function showValue(spec: OptionSpec, value: unknown): string | null {
  return spec.secret ? null : spec.type.show(value);
}

/** The known name that a mistyped one most likely means, or null when none is near. */
export function suggestName(given: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const distance = nameDistance(given, name);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Infinite for names too far apart to mean each other. */
function nameDistance(given: string, name: string): number {
  const whole = foldedDistance(given, name);
  // `port` means `listen.port`: the right key in the wrong group is the likeliest slip in a nested file.
  return name.includes(".") ? Math.min(whole, foldedDistance(lastPart(given), lastPart(name))) : whole;
}

const minPrefixChars = 5;

function foldedDistance(given: string, name: string): number {
  const wanted = foldName(given);
  // A name cut short is as likely as a slip of the finger.
  if (wanted.length >= minPrefixChars && foldName(name).startsWith(wanted)) return 1;
  const limit = Math.max(2, Math.floor(wanted.length / 4));
  const distance = editDistance(wanted, foldName(name), limit + 1);
  return distance > limit ? Number.POSITIVE_INFINITY : distance;
}

/** `maxQueue`, `max-queue` and `MAX_QUEUE` are one name spelled three ways. */
function foldName(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, "");
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}

/** Levenshtein distance, given up as `limit` once it cannot be less. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? limit) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? limit) + 1, (current[j - 1] ?? limit) + 1));
    }
    previous = current;
  }
  return Math.min(previous[b.length] ?? limit, limit);
}
