/** Levels of objects and lists of a JSON-RPC message that Codex reads, its own envelope counted; what is deeper it never answers. */
export const codexLevels = 127;

/** One container on the way from the root. */
interface Step {
  readonly value: object;
  readonly level: number;
  readonly key: string | number;
  readonly outer: Step | null;
}

/** The path of the first container below this many levels; null where all are above. A value that is no container has none. */
export function findTooDeep(value: unknown, maxLevels: number): readonly (string | number)[] | null {
  if (!isContainer(value)) return null;
  const rest: Step[] = [{ value, level: 1, key: "", outer: null }];
  for (let step = rest.pop(); step !== undefined; step = rest.pop()) {
    if (step.level > maxLevels) return pathOf(step);
    for (const [key, entry] of Object.entries(step.value)) {
      if (!isContainer(entry)) continue;
      rest.push({
        value: entry,
        level: step.level + 1,
        key: Array.isArray(step.value) ? Number(key) : key,
        outer: step,
      });
    }
  }
  return null;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function pathOf(last: Step): readonly (string | number)[] {
  const path: (string | number)[] = [];
  for (let step: Step | null = last; step !== null && step.outer !== null; step = step.outer)
    path.push(step.key);
  return path.reverse();
}
