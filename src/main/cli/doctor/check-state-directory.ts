import { access, constants, lstat, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Finding, fail, ok } from "./finding.js";

const check = "state";

/** The directory holds sockets and the link to the login: it must be writable for us and closed to others. */
export async function checkStateDirectory(path: string): Promise<Finding> {
  if (!(await succeeds(lstat(path)))) return checkParent(path);
  for (const directory of [path, join(path, "instances")]) {
    const fault = await findFault(directory);
    if (fault !== null) return fault;
  }
  return ok(check, `${path}, private`);
}

async function findFault(path: string): Promise<Finding | null> {
  const refuse = (found: string, advice: string) =>
    fail(check, `${path} ${found}`, `${advice}, or name another directory with --state-dir`);
  const found = await stat(path).catch(() => null);
  if (found === null) return null;
  if (!found.isDirectory()) return refuse("is not a directory", "remove it");
  if (process.platform === "win32") return null;
  if (process.getuid !== undefined && found.uid !== process.getuid())
    return refuse("belongs to another user", "run as that user");
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8);
    return refuse(`is open to other users (mode ${mode})`, `chmod 700 ${path}`);
  }
  return (await isWritable(path)) ? null : refuse("is not writable", `chmod 700 ${path}`);
}

/** The first start makes the directory, if the nearest directory above it is writable. */
async function checkParent(path: string): Promise<Finding> {
  let parent = dirname(path);
  while (!(await succeeds(lstat(parent))) && dirname(parent) !== parent) parent = dirname(parent);
  if (await isWritable(parent)) return ok(check, `${path} will be made at the first start`);
  const advice = `make ${parent} writable, or name another directory with --state-dir`;
  return fail(check, `${path} does not exist and cannot be made`, advice);
}

function isWritable(path: string): Promise<boolean> {
  return succeeds(access(path, constants.W_OK | constants.X_OK));
}

function succeeds(operation: Promise<unknown>): Promise<boolean> {
  return operation.then(
    () => true,
    () => false,
  );
}
