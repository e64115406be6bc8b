/** Histories of calls and outputs in any order, in both dialects and across a chain, held against a plain statement of the rule. */
import fc from "fast-check";
import t from "tap";
import type { ResponseChain } from "../../src/main/continuation/chain.js";
import { findEchoes } from "../../src/main/continuation/echoed-items.js";
import { refuseUnpairedCalls } from "../../src/main/dialects/tools/call-pairs.js";
import { CodexNativeApiError } from "../../src/main/errors.js";
import { ItemList } from "../../src/main/history/item-list.js";
import { type ClientToolKind, itemTypesOf } from "../../src/workers/contract/client-tools.js";
import type { JsonObject } from "../../src/workers/contract/json.js";
import { LoopShare } from "../../src/workers/contract/pace.js";
import { chatTurnOf } from "../support/chat-driver.js";
import { createRecord } from "../unit/continuation/fixtures.js";
import { turnOf } from "../unit/dialects/request-fixtures.js";
import { planFuzz } from "./support/fuzz-plan.js";

t.setTimeout(900_000);

const pace = new LoopShare().start();

interface Step {
  readonly kind: "call" | "output" | "words";
  readonly callId: string;
  readonly tool: ClientToolKind;
}

const ids = fc.constantFrom("a", "b", "c", "__proto__", "constructor");
const kinds = fc.constantFrom<ClientToolKind>("function", "custom", "local_shell", "shell", "apply_patch");
const step = fc.record<Step>({
  kind: fc.constantFrom("call", "call", "output", "output", "words"),
  callId: ids,
  tool: kinds,
});
const words: Step = { kind: "words", callId: "", tool: "function" };
/** Calls with their outputs after them, shuffled as a model and its caller would: most histories that are right are of this kind. */
const rounds = fc
  .array(fc.tuple(fc.uniqueArray(ids, { maxLength: 3 }), kinds, fc.nat()), { maxLength: 4 })
  .map((list) =>
    list.flatMap(([callIds, tool, turn]): Step[] => {
      const calls = callIds.map((callId): Step => ({ kind: "call", callId, tool }));
      const outputs = callIds.map((callId): Step => ({ kind: "output", callId, tool }));
      const at = callIds.length === 0 ? 0 : turn % callIds.length;
      return [...calls, ...outputs.slice(at), ...outputs.slice(0, at), words];
    }),
  );
/** One step left out, doubled, or moved. */
const nearlyRight = fc
  .tuple(rounds, fc.constantFrom("drop", "double", "move", "none"), fc.nat(), fc.nat())
  .map(([steps, change, from, to]) => {
    if (steps.length === 0 || change === "none") return steps;
    const at = from % steps.length;
    const changed = [...steps];
    const [taken] = change === "double" ? changed.slice(at, at + 1) : changed.splice(at, 1);
    if (change !== "drop" && taken !== undefined) changed.splice(to % (changed.length + 1), 0, taken);
    return changed;
  });
const histories = fc.oneof(fc.array(step, { maxLength: 8 }), nearlyRight).map((steps) => [words, ...steps]);

/** Which step is at fault: of each id calls and outputs alternate, a call first and an output last. */
function findFault(steps: readonly Step[], kindsMatter: boolean): number | null {
  const faults: number[] = [];
  const open: number[] = [];
  for (const callId of new Set(steps.map((each) => each.callId))) {
    const own = steps.flatMap((each, at) => (each.callId === callId && each.kind !== "words" ? [at] : []));
    const bad = own.find((at, place) => {
      if (steps[at]?.kind !== (place % 2 === 0 ? "call" : "output")) return true;
      return kindsMatter && place % 2 === 1 && steps[at]?.tool !== steps[own[place - 1] ?? -1]?.tool;
    });
    if (bad !== undefined) faults.push(bad);
    else if (own.length % 2 === 1) open.push(own.at(-1) ?? -1);
  }
  if (faults.length > 0) return Math.min(...faults);
  return open.length > 0 ? Math.min(...open) : null;
}

/** Of a text of its own, as a model's calls and their outputs are. */
function toItem({ kind, callId, tool }: Step, at: number): JsonObject {
  if (kind === "words")
    return { type: "message", role: "user", content: [{ type: "input_text", text: "x" }] };
  const { call: type, output } = itemTypesOf[tool];
  const text = `text ${at}`;
  if (kind === "output") return { type: output, call_id: callId, ...answers(text)[tool] };
  return { type, call_id: callId, ...calls(text)[tool] };
}

const answers = (text: string): Readonly<Record<ClientToolKind, object>> => ({
  function: { output: text },
  custom: { output: text },
  local_shell: { output: text },
  shell: { output: [{ stdout: text, stderr: "", outcome: { type: "exit", exit_code: 0 } }] },
  apply_patch: { output: text, status: "completed" },
});

const calls = (text: string): Readonly<Record<ClientToolKind, object>> => ({
  function: { name: "f", arguments: `{${text}` },
  custom: { name: "f", input: text },
  local_shell: { action: { type: "exec", command: [text] } },
  shell: { action: { commands: [text] } },
  apply_patch: { operation: { type: "delete_file", path: text } },
});

/** Chat completions have two kinds of calls. */
function toMessage({ kind, callId, tool }: Step): object {
  if (kind === "words") return { role: "user", content: "x" };
  if (kind === "output") return { role: "tool", tool_call_id: callId, content: "x" };
  const call =
    tool === "custom"
      ? { id: callId, type: "custom", custom: { name: "f", input: "x" } }
      : { id: callId, type: "function", function: { name: "f", arguments: "" } };
  return { role: "assistant", tool_calls: [call] };
}

/** The path that a request is refused with; null when it is taken. */
function refusalOf(act: () => unknown): string | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof CodexNativeApiError && error.code === "invalid_request") return error.param;
    throw error;
  }
}

t.test("both dialects refuse the same histories, by the step at fault", async (t) => {
  const { seed, runs } = planFuzz(t, 2_000);
  fc.assert(
    fc.property(histories, (steps) => {
      const fault = findFault(steps, true);
      const expected = fault === null ? null : `input[${fault}].call_id`;
      const input = steps.map(toItem);
      const refusal = refusalOf(() => turnOf({ input }));
      if (refusal !== expected) throw new Error(`responses: ${refusal} and not ${expected}`);
      const chatFault = findFault(steps, false);
      const paths = { call: "tool_calls[0].id", output: "tool_call_id", words: "" };
      const path = chatFault === null ? null : paths[steps[chatFault]?.kind ?? "words"];
      const expectedPath = path === null ? null : `messages[${chatFault}].${path}`;
      const messages = steps.map(toMessage);
      if (refusalOf(() => chatTurnOf({ messages })) !== expectedPath) throw new Error("chat completions");
    }),
    { seed, numRuns: runs },
  );
});

t.test("a chain takes up what it takes up whole, with and without its calls sent back", async (t) => {
  const { seed, runs } = planFuzz(t, 2_000);
  await fc.assert(
    fc.asyncProperty(rounds, fc.nat(), fc.boolean(), async (steps, cutAt, echoesCalls) => {
      const at = steps.length === 0 ? 0 : cutAt % steps.length;
      const items = steps.map(toItem);
      const [history, own] = [items.slice(0, at), items.slice(at)];
      const record = createRecord("resp_0", { inputItems: [], outputItems: history });
      const chain: ResponseChain = {
        records: [{ ...record, lastUsedAt: 0, expiresAt: 0 }],
        head: { ...record, lastUsedAt: 0, expiresAt: 0 },
        items: ItemList.of(history),
      };
      const open = history.filter(
        (item, place) =>
          String(item.type).endsWith("_call") &&
          !history.slice(place).some((other) => other.call_id === item.call_id && other.output !== undefined),
      );
      const input = [...(echoesCalls ? open.map((item) => ({ ...item })) : []), ...own];
      const echoes = await findEchoes(chain, input, pace);
      const kept = input.filter((_item, place) => !echoes.has(place));
      if (JSON.stringify(kept) !== JSON.stringify(own))
        throw new Error("what is new is kept, and nothing else");
      await refuseUnpairedCalls(history, input, pace, echoes);
    }),
    { seed, numRuns: runs },
  );
});
