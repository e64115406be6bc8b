/** What versions of Codex lack of what this service uses. Measured with 0.140, 0.150, 0.160 and 0.169. */

/** A feature that some supported version lacks, by the name that health uses. */
export type CodexFeature =
  /** Usage comes with each model call; without it, that of a call which ended in function calls comes with the next leg. */
  | "usage_of_parked_turns"
  /** An idle thread leaves memory when nobody is subscribed to it; without it, it stays for 30 minutes. */
  | "thread_unload";

const introducedIn: Readonly<Record<CodexFeature, readonly [major: number, minor: number]>> = {
  usage_of_parked_turns: [0, 150],
  // Somewhere between 0.160, which ignores `thread_unload_delay_secs`, and 0.169, which obeys it.
  thread_unload: [0, 169],
};

export const codexFeatures = Object.keys(introducedIn) as readonly CodexFeature[];

/** Whether this version has the feature. A version that cannot be read counts as a new one. */
export function hasFeature(codexVersion: string | null, feature: CodexFeature): boolean {
  const read = codexVersion === null ? null : /^(\d+)\.(\d+)\./.exec(codexVersion);
  if (read === null) return true;
  const [wantedMajor, wantedMinor] = introducedIn[feature];
  const [major, minor] = [Number(read[1]), Number(read[2])];
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** What this version goes without, by name. */
export function missingFeatures(codexVersion: string | null): readonly CodexFeature[] {
  return codexFeatures.filter((feature) => !hasFeature(codexVersion, feature));
}
