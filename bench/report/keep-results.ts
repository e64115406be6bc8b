import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { renderMarkdown } from "./render.js";
import type { RunRecord } from "./run-record.js";

/** From `build/bench/report` to the sources. */
const resultsDirectory = fileURLToPath(new URL("../../../bench/results", import.meta.url));

/** Writes the run as JSON and as Markdown; the names of the files. */
export async function keepResults(run: RunRecord, name: string): Promise<readonly string[]> {
  await mkdir(resultsDirectory, { recursive: true });
  const files = {
    [`${name}.json`]: `${JSON.stringify(run, null, 2)}\n`,
    [`${name}.md`]: renderMarkdown(run),
  };
  for (const [file, content] of Object.entries(files)) {
    await writeFile(join(resultsDirectory, file), content);
  }
  return Object.keys(files).map((file) => join("bench", "results", file));
}
