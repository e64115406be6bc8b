import { access, constants, lstat, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Finding, fail, ok } from "./finding.js";

const check = "state";

/** Sockets and the link to the login lie there: nobody else may look in, and we must be able to write. */
export async function checkStateDirectory(path: string): Promise<Finding> {
  if (!(await exists(path))) return checkParent(path);
  for (const directory of [path, join(path, "instances")]) {
    const fault = await findFault(directory);
    if (fault !== null) return fault;
  }
  return ok(check, `${path}, private`);
}

async function findFault(path: string): Promise<Finding | null> {
  const found = await stat(path).catch(() => null);
  if (found === null) return null;
  const elsewhere = "or name another directory with --state-dir";
  if (!found.isDirectory()) return fail(check, `${path} is no directory`, `remove it, ${elsewhere}`);
  if (process.platform === "win32") return null;
  if (process.getuid !== undefined && found.uid !== process.getuid())
    return fail(check, `${path} belongs to another user`, `run as that user, ${elsewhere}`);
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8);
    return fail(check, `${path} is open to other users (mode ${mode})`, `chmod 700 ${path}, ${elsewhere}`);
  }
  return (await isWritable(path))
    ? null
    : fail(check, `${path} cannot be written to`, `chmod 700 ${path}, ${elsewhere}`);
}

/** It will be made at the first start, if the nearest directory above it lets us. */
async function checkParent(path: string): Promise<Finding> {
  let parent = dirname(path);
  while (!(await exists(parent)) && dirname(parent) !== parent) parent = dirname(parent);
  return (await isWritable(parent))
    ? ok(check, `${path} will be made at the first start`)
    : fail(
        check,
        `${path} is not there and cannot be made`,
        `allow yourself to write to ${parent}, or name another directory with --state-dir`,
      );
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}
