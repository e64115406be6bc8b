/** Coding agents as clients: each by its own configuration, in a folder of its own, without a terminal. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findProcessesOf } from "../support/processes.js";
import { offlineEnvironment, runProgram } from "../support/run-program.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { attempt, expect, type Outcome } from "./capabilities.js";
import type { ClientsService } from "./service.js";

/** How an agent is started. */
export interface Agent {
  readonly command: readonly [string, ...(readonly string[])];
  /** Its files of configuration, by their paths under its home. */
  files(place: Place): Readonly<Record<string, string>>;
  environment?(place: Place): Readonly<Record<string, string>>;
  /** The arguments that ask it this. */
  ask(prompt: string, place: Place): readonly string[];
  /** The arguments that ask more in its last session; absent: it does that in a terminal only. */
  resume?(prompt: string, place: Place): readonly string[];
  /** The arguments that ask for an answer by a schema of JSON; absent: it has no such thing. */
  structured?(prompt: string, schema: string, place: Place): readonly string[];
}

export interface Place {
  readonly home: string;
  /** Where it works. */
  readonly folder: string;
  /** Of the service, with `/v1`. */
  readonly baseUrl: string;
  readonly model: string;
}

/** Some agents leave a process behind that serves the next run. */
async function endLeftovers(home: string): Promise<void> {
  for (const pid of await findProcessesOf(home)) process.kill(pid, "SIGKILL");
}

export async function runAgent(agent: Agent, service: ClientsService): Promise<readonly Outcome[]> {
  const home = await makeTemporaryDirectory(service);
  service.teardown(() => endLeftovers(home));
  const folder = join(home, "work");
  await mkdir(folder);
  const place: Place = { home, folder, baseUrl: `${service.url}/v1`, model: "gpt-5.5" };
  for (const [path, content] of Object.entries(agent.files(place))) {
    await mkdir(join(home, path, ".."), { recursive: true });
    await writeFile(join(home, path), content);
  }
  const env = { ...offlineEnvironment(home), ...agent.environment?.(place) };
  const run = (args: readonly string[], signal?: AbortSignal) =>
    runProgram([...agent.command, ...args], {
      cwd: folder,
      env,
      ...(signal === undefined ? {} : { signal }),
    });
  const says = async (words: RegExp, args: readonly string[]) => {
    const { code, stdout, stderr } = await run(args);
    // Some write their answer to the one, some to the other.
    expect(words.test(stdout + stderr), {
      code,
      stdout: stdout.slice(-1_500),
      stderr: stderr.slice(-1_500),
    });
  };
  const { resume, structured } = agent;
  const outcomes = [
    // All of them stream.
    await attempt("text", () => says(/Hello from the model/, agent.ask("Say hello.", place))),
  ];
  if (outcomes.every(({ result }) => result === "ok")) {
    outcomes.push({ capability: "stream", result: "ok", reason: "" });
  }
  if (resume !== undefined) {
    const check = () => says(/You said: .*Say hello/, resume("What was said?", place));
    outcomes.push(await attempt("chain / resume", check));
  }
  outcomes.push(
    await attempt("shell and patch", async () => {
      await says(/All done/, agent.ask(`Work in the folder. FOLDER=${folder}`, place));
      const read = (name: string) => readFile(join(folder, name), "utf8").catch(() => "");
      const [where, made] = [(await read("where.txt")).trim(), (await read("made.txt")).trim()];
      expect(where === folder && made === "made", { where, made });
    }),
  );
  // It has asked for both by function calls.
  if (outcomes.at(-1)?.result === "ok") outcomes.push({ capability: "functions", result: "ok", reason: "" });
  if (structured !== undefined) {
    const schema = JSON.stringify({
      type: "object",
      properties: { name: { type: "string" }, age: { type: "number" } },
      required: ["name", "age"],
      additionalProperties: false,
    });
    const check = () => says(/"age": ?36/, structured("Who is it?", schema, place));
    outcomes.push(await attempt("structured output", check));
  }
  outcomes.push(
    await attempt("abort", async () => {
      const leave = new AbortController();
      const running = run(agent.ask("Never end.", place), leave.signal);
      await service.untilBusy();
      leave.abort();
      await running;
      await service.untilIdle();
    }),
  );
  return outcomes;
}
