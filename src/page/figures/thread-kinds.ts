/** How a turn came by its native thread, the fastest way first. */
export const threadKinds = ["spare", "loaded", "parked", "new"] as const;
export type ThreadKind = (typeof threadKinds)[number];

/** Null: there is none yet, or a newer service has another. */
export function threadKindOf(kind: string | null): ThreadKind | null {
  return threadKinds.find((known) => known === kind) ?? null;
}
