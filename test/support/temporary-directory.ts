/** A directory of a test's own, which is removed with it, also where a process of the test is still writing its last file. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../src/main/codex/home/private-files.js";

interface WithTeardown {
  teardown(end: () => unknown): unknown;
}

export async function makeTemporaryDirectory(t: WithTeardown): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "cna-"));
  t.teardown(() => removeTree(directory));
  return directory;
}
