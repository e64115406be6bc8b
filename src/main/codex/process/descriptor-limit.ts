import { readFile } from "node:fs/promises";

/** Files that a service has open besides its connections, with a burst of restarts: 70 to 90 measured with four workers. */
const ownDescriptors = 128;
/** Connections to allow even under the lowest limit. */
const fewestConnections = 16;

/** How many connections fit under the limit on open files. */
export interface DescriptorRoom {
  readonly limit: number;
  /** At most `maxConnections`. */
  readonly connections: number;
  /** What is wrong and how to fix it; null if all connections fit. */
  readonly fault: string | null;
}

/** How many files and sockets this process may have open at once; null if unknown or unlimited. */
export async function readDescriptorLimit(): Promise<number | null> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => null);
  const soft = limits === null ? null : /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === null || soft === undefined ? null : Number(soft);
}

/** Computes how many connections to allow. Above the limit the system drops them silently, and Codex cannot restart. */
export function measureDescriptorRoom(limit: number, maxConnections: number): DescriptorRoom {
  const connections = Math.min(maxConnections, Math.max(fewestConnections, limit - ownDescriptors));
  const needed = maxConnections + ownDescriptors;
  const fault =
    connections === maxConnections
      ? null
      : `The limit of ${limit} open files leaves room for ${connections} connections, but http.maxConnections is ${maxConnections}. ` +
        `Raise the limit to ${needed} (\`ulimit -n ${needed}\`, LimitNOFILE=${needed} in a unit), or lower http.maxConnections.`;
  return { limit, connections, fault };
}
