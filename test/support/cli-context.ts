import { Readable } from "node:stream";
import type { CliContext, TextOutput } from "../../src/main/cli/cli-context.js";
import { runCli } from "../../src/main/cli/run-cli.js";
import { fakeMachine } from "./fake-machine.js";
import { FakeProcessEvents, FakeService } from "./fake-service.js";

/** Keeps what is written to it, and takes it at once. */
export class TextSink implements TextOutput {
  text = "";

  write(text: string, written?: (error?: Error | null) => void): boolean {
    this.text += text;
    written?.();
    return true;
  }
}

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line in this process, with a made-up machine around it. */
export async function runInProcess(
  argv: readonly string[],
  overrides: Partial<CliContext> = {},
): Promise<CliRun> {
  const [stdout, stderr] = [new TextSink(), new TextSink()];
  const context = makeCliContext({ argv, stdout, stderr, ...overrides });
  const code = await runCli(context);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

export function makeCliContext(overrides: Partial<CliContext>): CliContext {
  return {
    argv: [],
    env: {},
    stdin: Readable.from([]),
    stdout: new TextSink(),
    stderr: new TextSink(),
    machine: fakeMachine(),
    events: new FakeProcessEvents(),
    wallClock: () => 0,
    monotonicClock: () => 0,
    repeat: () => () => undefined,
    createService: new FakeService().create,
    createRuntime: () => Promise.reject(new Error("this test has no runtime")),
    startDemoModel: () => Promise.reject(new Error("this test has no demo")),
    runProgram: () => Promise.reject(new Error("this test runs no program")),
    startProgram: () => Promise.reject(new Error("this test starts no program")),
    self: { nodePath: "/usr/bin/node", cliPath: "/opt/codex-native-api/dist/main/cli.js", userId: 501 },
    exit: () => undefined,
    ...overrides,
  };
}
