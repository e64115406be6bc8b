/** Libraries as clients: a program of ours beside an installed library, on a Node that it takes. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { offlineEnvironment, runProgram } from "../support/run-program.js";
import type { Outcome } from "./capabilities.js";
import type { ClientsService } from "./service.js";

export interface Library {
  /** Of the file in `programs`. */
  readonly program: "openai" | "ai-sdk" | "langchain" | "agents";
  /** Where it is installed. */
  readonly home: string;
  /** The path of Node. */
  readonly node: string;
}

const own = fileURLToPath(new URL(".", import.meta.url));

export async function runLibrary({ program, home, node }: Library, service: ClientsService) {
  // Beside the library, so that its own packages are what the program imports.
  const folder = join(home, `run-${process.pid}`);
  service.teardown(() => removeTree(folder));
  for (const name of ["capabilities.js", join("programs", `${program}.js`)]) {
    await cp(join(own, name), join(folder, name));
  }
  const ran = await runProgram([node, join(folder, "programs", `${program}.js`)], {
    cwd: folder,
    env: {
      ...offlineEnvironment(folder),
      OPENAI_BASE_URL: `${service.url}/v1`,
      OPENAI_API_KEY: "local",
      MODEL: "gpt-5.5",
    },
  });
  const lines = ran.stdout.split("\n").filter((line) => line.startsWith('{"capability"'));
  const outcomes: Outcome[] = lines.map((line) => JSON.parse(line));
  if (ran.code !== 0) {
    const reason = `the program ended with ${ran.code}: ${ran.stderr.slice(-1_500)}`;
    outcomes.push({ capability: "text", result: "failed", reason });
  }
  return outcomes;
}
