import { readFile } from "node:fs/promises";

/** What a service has open beside its connections, and what a burst of restarts adds: measured at 70 to 90 with four workers. */
const ownDescriptors = 128;
/** Whatever the limit, so many connections are tried. */
const fewestConnections = 16;

/** How many connections the limit on open files has room for. */
export interface DescriptorRoom {
  readonly limit: number;
  /** At most as many as were asked for. */
  readonly connections: number;
  /** What is wrong and what to do; null where there is room for all. */
  readonly fault: string | null;
}

/** Files and sockets that this process may have open at once; null where that is not known, or not bounded. */
export async function readDescriptorLimit(): Promise<number | null> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => null);
  const soft = limits === null ? null : /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === null || soft === undefined ? null : Number(soft);
}

/** Beyond the limit the system drops connections without a word, and Codex cannot be started again. */
export function measureDescriptorRoom(limit: number, maxConnections: number): DescriptorRoom {
  const connections = Math.min(maxConnections, Math.max(fewestConnections, limit - ownDescriptors));
  const needed = maxConnections + ownDescriptors;
  const fault =
    connections === maxConnections
      ? null
      : `Only ${limit} files may be open at once, which is room for ${connections} connections; http.maxConnections is ${maxConnections}. ` +
        `Raise the limit to ${needed} (\`ulimit -n ${needed}\`, LimitNOFILE=${needed} in a unit), or lower http.maxConnections.`;
  return { limit, connections, fault };
}
