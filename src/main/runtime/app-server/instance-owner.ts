import { createHash, randomBytes } from "node:crypto";
import { readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { readProcessIdentity } from "./process-identity.js";
import { unavailable } from "./unavailable.js";

/**
 * Who holds an instance directory, told by the directory's name alone. So taking over a dead one's directory is a single
 * rename, which exactly one of several takers wins, and there is no moment in which it names nobody or the wrong one.
 */
export interface InstanceOwner {
  /** Digest of host and pid namespace: pids of another one mean nothing here. */
  readonly host: string;
  readonly pid: number;
  /** Digest of the process's start. */
  readonly start: string;
}

const namePattern = /^([0-9a-f]{8})-(\d+)-([0-9a-f]{8})-[0-9a-f]{6}$/;
const releasedPattern = /^free-[0-9a-f]{6}$/;

/** An instance of another host or container whose owner did not touch it for this long has no owner any more. */
export const foreignStaleMs = 10 * 60_000;

export async function readOwnOwner(): Promise<InstanceOwner> {
  const identity = await readProcessIdentity(process.pid);
  if (identity === null)
    throw unavailable("This process's own start time cannot be read (is /proc mounted?).");
  const namespace = await readlink("/proc/self/ns/pid").catch(() => "");
  return {
    host: digest(`${hostname()}\n${namespace}`),
    pid: identity.pid,
    start: digest(identity.startedAt),
  };
}

export function makeInstanceName({ host, pid, start }: InstanceOwner): string {
  return `${host}-${pid}-${start}-${randomBytes(3).toString("hex")}`;
}

/** The name of an instance whose service closed in good order. */
export function makeReleasedName(): string {
  return `free-${randomBytes(3).toString("hex")}`;
}

/** Whether nobody holds this instance any more. False for names that are none of ours. */
export async function isAbandoned(name: string, own: InstanceOwner, untouchedMs: number): Promise<boolean> {
  if (releasedPattern.test(name)) return true;
  const [, host, pid, start] = namePattern.exec(name) ?? [];
  if (host === undefined || pid === undefined || start === undefined) return false;
  if (host !== own.host) return untouchedMs > foreignStaleMs;
  const running = await readProcessIdentity(Number(pid));
  return running === null || digest(running.startedAt) !== start;
}

/** The process that holds this instance, where it runs and is another than our own. */
export async function findOtherOwner(name: string, own: InstanceOwner): Promise<number | null> {
  const [, host, pid, start] = namePattern.exec(name) ?? [];
  if (host !== own.host || pid === undefined || start === undefined || Number(pid) === own.pid) return null;
  const running = await readProcessIdentity(Number(pid));
  return running !== null && digest(running.startedAt) === start ? running.pid : null;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
