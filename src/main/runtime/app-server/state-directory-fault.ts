import type { CodexNativeApiError } from "../../errors.js";
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

/** What the file system said while the state directory was used, in words that name no path; anything else as it is. */
export function describeStateFault(error: unknown): unknown {
  const cause = error instanceof Error && "code" in error ? causes[String(error.code)] : undefined;
  return cause === undefined ? error : stateFault(cause, error);
}

function stateFault(cause: string, error: unknown): CodexNativeApiError {
  return unavailable(`The state directory cannot be used: ${cause}. It is tried again by itself.`, error);
}
