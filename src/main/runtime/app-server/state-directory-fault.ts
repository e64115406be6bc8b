import { unavailable } from "./unavailable.js";

const causes: Readonly<Record<string, string>> = {
  ENOSPC: "its disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "it is read-only",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  ENOENT: "a part of it is gone",
  ENOTDIR: "a part of it is not a directory any more",
  EIO: "its disk fails",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
};

/** What comes of a fault: a service that runs tries again, and one that is to start does not. */
const consequences = {
  running: "It is tried again by itself.",
  starting: "CODEX_NATIVE_API_STATE_DIR can name another one.",
} as const;

/** What the file system said while the state directory was used, in words that name no path; anything else as it is. */
export function describeStateFault(error: unknown, when: keyof typeof consequences = "running"): unknown {
  const cause = error instanceof Error && "code" in error ? causes[String(error.code)] : undefined;
  if (cause === undefined) return error;
  return unavailable(`The state directory cannot be used: ${cause}. ${consequences[when]}`, error);
}
