/** What an organisation's managed configuration demands, and what a caller's turn can do all the same: nothing on this machine. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { needs } from "../support/codex-version.js";
import { type JsonObject, offeredTools, rawItem, shellCall, text } from "../support/offline-backend/index.js";
import { makeTemporaryDirectory } from "../support/runtime-harness.js";
import { type ServiceHarness, startServiceHarness } from "../support/service-harness.js";

/** An account whose organisation pins features on, whatever a thread's own configuration says. */
async function startUnder(t: Test, requirements: string): Promise<ServiceHarness> {
  const fragment = { id: "requirements-1", name: "Offline limits", contents: requirements };
  const managedConfiguration: JsonObject = { requirements_toml: { enterprise_managed: [fragment] } };
  const harness = await startServiceHarness(t, { backend: { account: "full", managedConfiguration } });
  await harness.untilReady();
  return harness;
}

t.test(
  "a shell that the organisation demands is offered to the model and runs nothing",
  needs("tool_free_turns"),
  async (t) => {
    const directory = await makeTemporaryDirectory(t);
    const { backend, client } = await startUnder(t, "[features]\nshell_tool = true\n");
    backend.queueReply(shellCall({ command: ["touch", join(directory, "made")] }), text("done"));
    const { output_text } = await client.responses.create({ input: "hello" });
    t.equal(output_text, "done");
    const [first, second] = backend.requests;
    t.match(first === undefined ? [] : offeredTools(first), [{ name: "exec_command" }]);
    t.match(second?.fullInput.at(-1), {
      type: "function_call_output",
      output: /No usable execution environment/,
    });
    t.same(await readdir(directory), []);
  },
);

t.test("an app that the organisation demands is not asked on behalf of a caller's turn", async (t) => {
  const { backend, client } = await startUnder(t, "[features]\napps = true\n");
  const call = { type: "function_call", call_id: "call_1", status: "completed", arguments: "{}" };
  const app = { namespace: "mcp__codex_apps__offline_calendar", name: "_list_dates" };
  backend.queueReply(rawItem({ ...call, ...app }), text("done"));
  await client.responses.create({ input: "hello" });
  t.notMatch(JSON.stringify(backend.requests.map(({ body }) => body)), /Tuesday at noon/);
});
