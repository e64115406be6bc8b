/** The features of Codex that this service uses and some versions lack. Measured with each of `testedCodexVersions`. */

/** A feature that some supported version lacks, under the name that health reports. */
export type CodexFeature =
  /** Usage comes with each model call; without it, that of a call which ended in function calls comes with the next segment. */
  | "usage_of_parked_turns"
  /** Items bear the model's own ids; without it, those of function calls are this service's. */
  | "model_item_ids"
  /** All of Codex's own tools can be switched off; without it, the model is also offered `update_plan`. */
  | "tool_free_turns"
  /** Usage says how much of the input was put into the model's cache; without it, usage says 0. */
  | "cache_write_usage"
  /** A custom tool with a grammar reaches the model as declared; without it, the model has a function whose description has the grammar. */
  | "custom_tool_grammars"
  /** An interrupted turn ends the model call upstream at once; without it, that call runs to its end, and its output is dropped. */
  | "upstream_interrupt"
  /** An answer that a limit or a filter cut short ends the turn; without it, Codex asks the model again first. */
  | "cut_short_answers"
  /** The citations of a web search come with the answer; without it, Codex drops them. */
  | "citations"
  /** An idle thread without a subscriber leaves memory; without the feature, it stays for 30 minutes. */
  | "thread_unload"
  /** A thread can have a model catalog of its own, and so a prompt its form; without it, prompts have the older form. */
  | "prompt_forms";

const introducedIn: Readonly<Record<CodexFeature, readonly [major: number, minor: number]>> = {
  usage_of_parked_turns: [0, 150],
  model_item_ids: [0, 150],
  tool_free_turns: [0, 150],
  cache_write_usage: [0, 150],
  // 0.140 drops the item that brings such tools.
  custom_tool_grammars: [0, 150],
  // 0.150 does so over WebSockets and not over server-sent events.
  upstream_interrupt: [0, 160],
  // Somewhere between 0.160 and 0.169, as the next.
  cut_short_answers: [0, 169],
  citations: [0, 169],
  // Somewhere between 0.160, which ignores `thread_unload_delay_secs`, and 0.169, which obeys it.
  thread_unload: [0, 169],
  // 0.160 reads `model_catalog_json` of a thread's configuration and uses that of the process.
  prompt_forms: [0, 169],
};

const codexFeatures = Object.keys(introducedIn) as readonly CodexFeature[];

/** Whether this version has the feature. A version that cannot be read counts as a new one. */
export function hasFeature(codexVersion: string | null, feature: CodexFeature): boolean {
  const [major, minor] = introducedIn[feature];
  return isAtLeast(codexVersion, major, minor);
}

/** What this version goes without, by name. */
export function missingFeatures(codexVersion: string | null): readonly CodexFeature[] {
  return codexFeatures.filter((feature) => !hasFeature(codexVersion, feature));
}

/** True also for a version that cannot be read. Builds before a release (`0.150.0-alpha.1`) count as that release. */
export function isAtLeast(codexVersion: string | null, major: number, minor: number): boolean {
  const own = readRelease(codexVersion);
  return own === null || own >= major * 100_000 + minor;
}

/** Versions that the end-to-end suites run on, oldest first; what lies between them is taken to work. */
export const testedCodexVersions = ["0.140.0", "0.150.0", "0.160.0", "0.169.0", "0.171.0"] as const;

export const oldestTestedCodex: string = testedCodexVersions[0];
/** The one that package.json installs and every run of the tests is on. */
export const newestTestedCodex: string = testedCodexVersions.at(-1) ?? oldestTestedCodex;

/** How a version compares to those that were tested. Patch releases count as the release they mend. */
export function compareToTested(codexVersion: string | null): "older" | "within" | "newer" | "unknown" {
  const own = readRelease(codexVersion);
  const [oldest, newest] = [readRelease(oldestTestedCodex), readRelease(newestTestedCodex)];
  if (own === null || oldest === null || newest === null) return "unknown";
  if (own < oldest) return "older";
  return own > newest ? "newer" : "within";
}

/** Whether this version is known to behave as those that were tested do from this release on. False where it cannot be read. */
export function wasTested(codexVersion: string | null, major = 0, minor = 0): boolean {
  return compareToTested(codexVersion) === "within" && isAtLeast(codexVersion, major, minor);
}

/** Major and minor as one number that grows with them. */
function readRelease(codexVersion: string | null): number | null {
  const read = /^(\d{1,5})\.(\d{1,5})\./.exec(codexVersion ?? "");
  return read === null ? null : Number(read[1]) * 100_000 + Number(read[2]);
}
