/** The Codex CLI as a client: its configuration, its runs, and a model that works with whatever tools it offers. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  functionCall,
  offeredTools,
  type RecordedModelRequest,
  type Reply,
  rawItem,
  text,
} from "./offline-backend/index.js";
import { offlineEnvironment, type Run, runProgram } from "./run-program.js";

export interface CodexClientOptions {
  /** An empty folder, which gets its home and its working folder. */
  readonly root: string;
  /** Of the service, without `/v1`. */
  readonly url: string;
  readonly model: string;
  readonly websockets: boolean;
  /** The program and its first arguments. */
  readonly command: readonly [string, ...(readonly string[])];
}

export interface CodexClient {
  /** Where it works. */
  readonly folder: string;
  /** `codex exec` with these arguments. */
  run(args: readonly string[], more?: { readonly signal?: AbortSignal }): Promise<Run>;
  /** What `workInFolder` has left there: the folder that the shell says it is in, and the content of the patch's file. */
  readWork(): Promise<{ readonly where: string; readonly made: string }>;
}

export async function makeCodexClient(options: CodexClientOptions): Promise<CodexClient> {
  const { root, url, model, websockets, command } = options;
  const [home, folder] = [join(root, "home"), join(root, "work")];
  await Promise.all([home, folder].map((path) => mkdir(path, { recursive: true })));
  await writeFile(
    join(home, "config.toml"),
    `model = "${model}"
model_provider = "native"
[model_providers.native]
name = "native"
base_url = "${url}/v1"
wire_api = "responses"
requires_openai_auth = false
supports_websockets = ${websockets}
request_max_retries = 0
stream_max_retries = 0
`,
  );
  const read = (name: string) => readFile(join(folder, name), "utf8").catch(() => "");
  return {
    folder,
    run: (args, more = {}) =>
      runProgram(
        [...command, "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", ...args],
        {
          cwd: folder,
          env: { ...offlineEnvironment(root), CODEX_HOME: home },
          timeoutMs: 60_000,
          ...more,
        },
      ),
    readWork: async () => ({ where: (await read("where.txt")).trim(), made: await read("made.txt") }),
  };
}

const command = "pwd > where.txt";
const patch = "*** Begin Patch\n*** Add File: made.txt\n+made\n*** End Patch\n";

/** A command, then a patch, and then words: by functions and a patch tool, or by scripts that call them, as the client offers. */
export function workInFolder(request: RecordedModelRequest): Reply {
  const offered = offeredTools(request);
  const nameOf = (...names: readonly string[]) =>
    offered.map(({ name }) => String(name)).find((name) => names.includes(name.replace(/^caller_/, "")));
  const outputs = request.fullInput.filter(({ type }) => String(type).endsWith("_call_output")).length;
  const callId = `call_${outputs + 1}`;
  if (outputs >= 2) return text(`All done after ${outputs} outputs.`);
  if (nameOf("exec") !== undefined) {
    const call =
      outputs === 0
        ? `exec_command({ cmd: ${JSON.stringify(command)} })`
        : `apply_patch(${JSON.stringify(patch)})`;
    return customCall("exec", `text(await tools.${call});`, callId);
  }
  if (outputs === 1) return customCall("apply_patch", patch, callId);
  const name = nameOf("exec_command", "shell_command", "shell");
  if (name === undefined) return text(`No shell among ${offered.map((tool) => tool.name).join(", ")}.`);
  const cmd = name.endsWith("exec_command") ? { cmd: command } : { command };
  return functionCall({
    name,
    arguments: name.endsWith("shell") ? { command: ["sh", "-c", command] } : cmd,
    callId,
  });
}

function customCall(name: string, input: string, callId: string): Reply {
  return rawItem({
    type: "custom_tool_call",
    id: `ctc_${callId}`,
    call_id: callId,
    name,
    input,
    status: "completed",
  });
}
