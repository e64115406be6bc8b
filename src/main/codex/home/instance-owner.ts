import { createHash, randomBytes } from "node:crypto";
import { readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { readProcessIdentity } from "../process/process-identity.js";
import { unavailable } from "../process/unavailable.js";

/**
 * The process that owns an instance directory. The directory's name contains it, so that a takeover is a single rename:
 * exactly one of several services wins it, and at every moment the name is that of the right owner.
 */
export interface InstanceOwner {
  /** Digest of host and pid namespace, since a pid has a meaning only within both. */
  readonly host: string;
  readonly pid: number;
  /** Digest of the process's start time. */
  readonly start: string;
}

const namePattern = /^([0-9a-f]{8})-(\d+)-([0-9a-f]{8})-[0-9a-f]{6}$/;
const releasedPattern = /^free-[0-9a-f]{6}$/;

/** If an instance of another host or container was not touched for this long, its owner counts as dead. In milliseconds. */
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

/** The name of an instance whose service shut down cleanly. */
export function makeReleasedName(): string {
  return `free-${randomBytes(3).toString("hex")}`;
}

/** Whether no service owns this instance any more. False for names of another form. */
export async function isAbandoned(name: string, own: InstanceOwner, untouchedMs: number): Promise<boolean> {
  if (releasedPattern.test(name)) return true;
  const [, host, pid, start] = namePattern.exec(name) ?? [];
  if (host === undefined || pid === undefined || start === undefined) return false;
  if (host !== own.host) return untouchedMs > foreignStaleMs;
  const running = await readProcessIdentity(Number(pid));
  return running === null || digest(running.startedAt) !== start;
}

/** The pid of this instance's owner if it is another process on this host and still runs; null otherwise. */
export async function findOtherOwner(name: string, own: InstanceOwner): Promise<number | null> {
  const [, host, pid, start] = namePattern.exec(name) ?? [];
  if (host !== own.host || pid === undefined || start === undefined || Number(pid) === own.pid) return null;
  const running = await readProcessIdentity(Number(pid));
  return running !== null && digest(running.startedAt) === start ? running.pid : null;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
