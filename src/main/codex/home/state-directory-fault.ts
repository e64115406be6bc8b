import { unavailable } from "../process/unavailable.js";

const causes: Readonly<Record<string, string>> = {
  ENOSPC: "its disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "it is read-only",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  ENOENT: "part of it is missing",
  ENOTDIR: "part of it is no longer a directory",
  ENOTEMPTY: "another process keeps writing to it",
  EBUSY: "another process is using it",
  EIO: "its disk reports errors",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
};

/** What happens next: a running service retries by itself; a starting one needs the user. */
const consequences = {
  running: "The service tries again by itself.",
  starting: "Set CODEX_NATIVE_API_STATE_DIR to use another one.",
} as const;

/** Turns a file system error on the state directory into a message without a path. Returns other errors unchanged. */
export function describeStateFault(error: unknown, when: keyof typeof consequences = "running"): unknown {
  const cause = error instanceof Error && "code" in error ? causes[String(error.code)] : undefined;
  if (cause === undefined) return error;
  return unavailable(`The state directory cannot be used: ${cause}. ${consequences[when]}`, error);
}
