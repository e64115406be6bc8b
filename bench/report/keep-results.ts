import { mkdir, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { renderMarkdown } from "./render.js";
import type { RunRecord } from "./run-record.js";

/** From `build/bench/report`. */
const projectDirectory = fileURLToPath(new URL("../../..", import.meta.url));
const resultsDirectory = join(projectDirectory, "bench", "results");

/** Writes the run as JSON and as Markdown; the names of the files. */
export function keepResults(run: RunRecord, name: string): Promise<readonly string[]> {
  return keepFiles({
    [`${name}.json`]: `${JSON.stringify(run, null, 2)}\n`,
    [`${name}.md`]: renderMarkdown(run),
  });
}

/** Writes files of results, from their names and contents; where they are in the project. */
export async function keepFiles(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  await mkdir(resultsDirectory, { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    await writeFile(join(resultsDirectory, file), withoutPaths(content));
  }
  return Object.keys(files).map((file) => join("bench", "results", file));
}

/** The reason of a failure may name a file; where the machine keeps it is nobody's business. */
function withoutPaths(text: string): string {
  return [projectDirectory, homedir(), tmpdir()]
    .filter((path) => path.length > 1)
    .reduce((cleaned, path) => cleaned.replaceAll(path, "…/"), text);
}
