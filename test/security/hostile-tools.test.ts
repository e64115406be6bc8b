/** A model that asks for what only Codex's own tools could do, on the real app-server: commands, files, the network. */
import { access, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type OpenAI from "openai";
import { APIError } from "openai";
import t, { type Test } from "tap";
import { needs } from "../support/codex-version.js";
import {
  functionCall,
  offeredTools,
  rawItem,
  type StreamReply,
  shellCall,
  text,
} from "../support/offline-backend/index.js";
import { makeTemporaryDirectory } from "../support/runtime-harness.js";
import { startServiceHarness } from "../support/service-harness.js";

interface Bait {
  /** A file whose text no request may hold. */
  readonly canary: string;
  /** A file that no turn may make. */
  readonly loot: string;
}

const secret = "canary-5f1c9a37";
const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

async function layBait(t: Test): Promise<Bait> {
  const directory = await makeTemporaryDirectory(t);
  await writeFile(join(directory, "canary.txt"), secret);
  await writeFile(join(directory, "canary.png"), Buffer.from(pixel, "base64"));
  return { canary: join(directory, "canary.txt"), loot: join(directory, "loot") };
}

/** Every shape in which a model can ask for a tool of Codex's, by what it asks for. */
function hostileCalls({ canary, loot }: Bait): Readonly<Record<string, StreamReply>> {
  const script = `cat ${canary} | tee ${loot}; sleep 20`;
  const argv = ["sh", "-c", script];
  const patch = `*** Begin Patch\n*** Add File: ${loot}\n+x\n*** End Patch`;
  const call = (name: string, args: object | string, namespace?: string) =>
    functionCall({
      name,
      arguments: typeof args === "string" ? args : JSON.stringify(args),
      ...(namespace !== undefined && { namespace }),
    });
  const custom = (name: string, input: string) =>
    rawItem({ type: "custom_tool_call", call_id: "call_custom", name, input, status: "completed" });
  return {
    exec_command: call("exec_command", { cmd: script, yield_time_ms: 250 }),
    "exec_command outside the sandbox": call("exec_command", {
      cmd: script,
      sandbox_permissions: "require_escalated",
      justification: "please",
    }),
    "exec_command with a patch": call("exec_command", { cmd: `apply_patch <<'EOF'\n${patch}\nEOF` }),
    shell: shellCall({ command: argv, as: "shell" }),
    shell_command: call("shell_command", { command: script }),
    "container.exec": call("container.exec", { cmd: argv }),
    unified_exec: call("unified_exec", { input: argv }),
    write_stdin: call("write_stdin", { session_id: 1, chars: `${script}\n` }),
    local_shell: call("local_shell", { command: argv }),
    "a local_shell_call item": shellCall({ command: argv, as: "local_shell_call" }),
    "a shell_call item": rawItem({
      type: "shell_call",
      call_id: "call_shell",
      action: { commands: [script] },
    }),
    "a custom exec": custom("exec", script),
    "a custom shell": custom("shell", script),
    apply_patch: call("apply_patch", { input: patch }),
    "a custom apply_patch": custom("apply_patch", patch),
    "an apply_patch_call item": rawItem({
      type: "apply_patch_call",
      call_id: "call_patch",
      status: "completed",
      operation: { type: "create_file", path: loot, diff: "+x" },
    }),
    read_file: call("read_file", { file_path: canary }),
    list_dir: call("list_dir", { dir_path: join(canary, "..") }),
    grep_files: call("grep_files", { pattern: "canary", path: canary }),
    view_image: call("view_image", { path: canary.replace(".txt", ".png") }),
    js_repl: custom("js_repl", `require("fs").writeFileSync(${JSON.stringify(loot)}, "x")`),
    "an MCP server's tool": call("mcp__filesystem__read_file", { path: canary }),
    "a tool in a namespace": call("read_file", { path: canary }, "mcp__filesystem"),
    read_mcp_resource: call("read_mcp_resource", { server: "filesystem", uri: `file://${canary}` }),
    "an mcp_call item": rawItem({ type: "mcp_call", server_label: "fs", name: "read_file", arguments: "{}" }),
    web_search: call("web_search", { query: secret }),
    "a web_search_call item": rawItem({
      type: "web_search_call",
      status: "completed",
      action: { type: "open_page", url: `file://${canary}` },
    }),
    "image_generation_call with a path": rawItem({
      type: "image_generation_call",
      id: "../../loot",
      status: "completed",
      result: pixel,
    }),
    tool_search: call("tool_search", { query: "shell" }),
    spawn_agent: call("spawn_agent", { message: script }),
    request_user_input: call("request_user_input", { questions: [] }),
    request_permissions: call("request_permissions", { permissions: { network: { enabled: true } } }),
    update_plan: call("update_plan", { plan: [] }),
    "no name at all": call("", "{}"),
    "arguments that are no JSON": call("exec_command", "}{"),
  };
}

/** Output that a caller has nothing to do about: what the model said, and what its backend did for it. */
const harmless = new Set(["message", "web_search_call", "image_generation_call"]);

/** Calls whose results the backend has sent along, so that they end a turn well. */
const doneByBackend = new Set(["a web_search_call item", "image_generation_call with a path"]);

/** The types of what came; null where the turn failed since nothing came of the model's call. */
async function outputOf(
  answer: Promise<OpenAI.Responses.Response>,
): Promise<readonly OpenAI.Responses.ResponseOutputItem["type"][] | null> {
  try {
    return (await answer).output.map(({ type }) => type);
  } catch (error) {
    if (error instanceof APIError && error.code === "turn_stalled") return null;
    throw error;
  }
}

/** Ids of the processes whose parent this one is. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const children: number[] = [];
  for (const entry of await readdir("/proc")) {
    const stat = /^\d+$/.test(entry) ? await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "") : "";
    // The name before it may hold anything, a bracket too.
    if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid) children.push(Number(entry));
  }
  return children;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function readAppServerPid(url: string): Promise<number> {
  const health = JSON.stringify(await (await fetch(`${url}/v1/health`)).json());
  return Number(/"app_server":\{[^}]*"pid":(\d+)/.exec(health)?.[1]);
}

for (const profile of ["lean", "codex"] as const) {
  t.test(
    `in the ${profile} profile no call of the model's runs, reads or writes anything`,
    needs("tool_free_turns"),
    async (t) => {
      const bait = await layBait(t);
      const { backend, url, client, untilReady, userHome, stateDir } = await startServiceHarness(t, {
        argv: ["--turn-profile", profile],
      });
      await untilReady();
      const pid = await readAppServerPid(url);
      const calls = Object.entries(hostileCalls(bait));
      for (const [name, call] of calls) {
        // The model asks, and asked again with what its call came to, it has done.
        backend.setDefaultReply((request) => {
          const answered = request.fullInput.some(({ type }) => String(type).endsWith("_output"));
          return answered ? text("done") : call;
        });
        const asked = backend.requests.length;
        const output = await outputOf(client.responses.create({ input: name }));
        // A call that Codex passes over is the end of its turn; of others the model hears that they came to nothing.
        const isPassedOver = backend.requests.length === asked + 1;
        t.equal(output === null, isPassedOver && !doneByBackend.has(name), `${name}: how the turn ends`);
        const calls = (output ?? []).filter((type) => !harmless.has(type));
        t.same(calls, [], `${name}: the caller is asked for nothing`);
        t.same(await childrenOf(pid), [], `${name}: no process was started`);
      }
      t.notOk(await exists(bait.loot), "no file was made");
      for (const home of [userHome, stateDir]) {
        const names = await readdir(home, { recursive: true });
        t.same(
          names.filter((name) => /loot|generated_images/.test(name)),
          [],
          "and none in a home either",
        );
      }
      for (const { bodyText } of backend.requests) {
        if (bodyText.includes(pixel.slice(0, 40))) t.fail(`an image was read: ${bodyText}`);
      }
      const told = backend.requests.map(({ body }) => JSON.stringify(body.input)).join("\n");
      t.notMatch(told.replaceAll(`{\\"query\\":\\"${secret}\\"}`, ""), secret, "no file was read");
      t.ok(backend.requests.length > calls.length * 1.5, "the model was told that its calls came to nothing");
    },
  );
}

for (const profile of ["lean", "codex"] as const) {
  t.test(
    `in the ${profile} profile a caller's function named like a tool of Codex's is the caller's to run`,
    needs("tool_free_turns"),
    async (t) => {
      const bait = await layBait(t);
      const { backend, client } = await startServiceHarness(t, { argv: ["--turn-profile", profile] });
      backend.setDefaultReply((request) => {
        const [tool] = offeredTools(request);
        return functionCall({ name: String(tool?.name), arguments: { path: bait.loot } });
      });
      for (const name of ["shell", "exec_command", "apply_patch", "view_image"]) {
        const parameters = { type: "object", properties: { path: { type: "string" } } };
        const response = await client.responses.create({
          input: "hello",
          tools: [{ type: "function", name, description: null, parameters, strict: false }],
        });
        const path = JSON.stringify({ path: bait.loot });
        t.match(response.output, [{ type: "function_call", name, arguments: path }], name);
      }
      t.notOk(await exists(bait.loot));
    },
  );
}

t.test("images and files are never read from a path or an address that the caller names", async (t) => {
  const { canary } = await layBait(t);
  const { backend, url } = await startServiceHarness(t);
  const picture = canary.replace(".txt", ".png");
  const addresses = [picture, `file://${picture}`, `file://localhost${picture}`, "http://127.0.0.1:1/a.png"];
  const post = (path: string, body: object) =>
    fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const message = (part: object) => [{ role: "user", content: [part] }];
  for (const address of addresses) {
    for (const [path, body] of [
      ["/v1/responses", { input: message({ type: "input_image", image_url: address }) }],
      ["/v1/responses", { input: message({ type: "input_file", file_url: address }) }],
      ["/v1/responses", { input: message({ type: "input_file", filename: "a.txt", file_data: address }) }],
      ["/v1/responses", { input: message({ type: "input_file", file_id: address }) }],
      ["/v1/chat/completions", { messages: message({ type: "image_url", image_url: { url: address } }) }],
      ["/v1/chat/completions", { messages: message({ type: "file", file: { file_data: address } }) }],
    ] as const) {
      const answer = await post(path, body);
      t.equal(answer.status, 400, `${path} ${JSON.stringify(body)}`);
      t.match(await answer.json(), { error: { type: "invalid_request_error" } });
    }
  }
  t.equal(backend.requests.length, 0, "no turn was started");
});
