/** The files that a task names, as messages. */
import {
  findRootFault,
  ReadableFileError,
  readableFileLimits,
  readFilesBelow,
} from "../readable-files/readable-files.js";
import type { JsonObject } from "../runtime/types.js";
import { RouteFailure } from "./route-failure.js";
import { CodexNativeApiSideTaskError, isSideTaskErrorCode } from "./side-task-error.js";
import type { TaskTime } from "./task-time.js";
import type { SideTaskRequest } from "./types.js";

interface ReadOptions {
  readonly roots: readonly string[];
  /** The task's. */
  readonly time: TaskTime;
}

/** @throws CodexNativeApiSideTaskError `bad_request` for a root that cannot be one. */
export function checkRoots(roots: unknown): readonly string[] {
  if (!Array.isArray(roots)) throw badRequest("roots", "It must be a list of folders.");
  for (const [index, root] of roots.entries()) {
    const fault = findRootFault(root);
    if (fault !== null) throw badRequest(`roots[${index}]`, fault);
  }
  return [...roots];
}

/**
 * The files' texts as developer messages, in the task's order; empty where it names none.
 *
 * @throws CodexNativeApiSideTaskError `bad_request` that names the path; `cancelled`, `closed` or `timeout` where that came first.
 */
export async function readTaskFiles(
  request: SideTaskRequest,
  { roots, time }: ReadOptions,
): Promise<readonly JsonObject[]> {
  const paths = listPaths(request.files);
  if (paths.length === 0) return [];
  const { timeoutMs } = readableFileLimits;
  try {
    // What is left of a read that hangs ends by itself.
    const found = await time.within(timeoutMs, () => readFilesBelow(roots, paths));
    return found.map(({ path, text }) => ({
      role: "developer",
      content: `The file ${JSON.stringify(path)} contains:\n\n${text}`,
    }));
  } catch (error) {
    if (error instanceof RouteFailure) {
      const { failure, message } = error;
      if (isSideTaskErrorCode(failure)) throw new CodexNativeApiSideTaskError(failure, message);
      throw badRequest("files", `The files were not read within ${timeoutMs} ms.`);
    }
    if (!(error instanceof ReadableFileError)) throw error;
    const param = `files[${paths.indexOf(error.path)}].path`;
    throw badRequest(param, error.message, error);
  }
}

function listPaths(files: unknown): readonly string[] {
  if (files === undefined) return [];
  if (!Array.isArray(files)) throw badRequest("files", "It must be a list of files.");
  return files.map((file: unknown, index) => {
    const path = typeof file === "object" && file !== null && "path" in file ? file.path : null;
    if (typeof path === "string") return path;
    throw badRequest(`files[${index}].path`, "It must be a path.");
  });
}

function badRequest(param: string, message: string, cause?: unknown): CodexNativeApiSideTaskError {
  return new CodexNativeApiSideTaskError("bad_request", message, { param, cause });
}
