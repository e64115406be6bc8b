import t from "tap";
import type { ToolCall, ToolCallAnswer } from "../../../../src/workers/app-server/protocol.js";
import { answerServerRequest } from "../../../../src/workers/app-server/server-request-policy.js";
import { FaultLog } from "./support/collect-faults.js";

type CallTool = (threadId: string, call: ToolCall) => Promise<ToolCallAnswer> | null;

function create(callTool: CallTool = () => null) {
  const faults = new FaultLog();
  const context = { callTool, countFault: faults.count, wallClock: () => 1_700_000_000_999 };
  return {
    faults,
    answer: (method: string, params: unknown = {}) => answerServerRequest(method, params, context),
  };
}

const call = { threadId: "t", turnId: "u", callId: "c", namespace: null, tool: "f", arguments: { a: [1] } };

t.test("whatever needs a person's consent is declined", async (t) => {
  const { answer, faults } = create();
  const denied = { result: { decision: { denied: { rejection: "this client has nobody to ask" } } } };
  t.strictSame(answer("item/commandExecution/requestApproval"), { result: { decision: "decline" } });
  t.strictSame(answer("item/fileChange/requestApproval"), { result: { decision: "decline" } });
  t.strictSame(answer("item/permissions/requestApproval"), { result: { permissions: {}, scope: "turn" } });
  t.strictSame(answer("applyPatchApproval"), denied);
  t.strictSame(answer("execCommandApproval"), denied);
  t.strictSame(answer("item/tool/requestUserInput"), { result: { answers: {} } });
  t.strictSame(answer("mcpServer/elicitation/request"), {
    result: { action: "decline", content: null, _meta: null },
  });
  t.strictSame(faults.counts, {});
});

t.test("tokens and attestations are refused, the time is told in whole seconds", async (t) => {
  const { answer } = create();
  t.match(answer("account/chatgptAuthTokens/refresh"), { error: { code: -32000 } });
  t.match(answer("attestation/generate"), { error: { code: -32000 } });
  t.strictSame(answer("currentTime/read"), { result: { currentTimeAt: 1_700_000_000 } });
});

t.test("an unknown method is answered -32601 and counted", async (t) => {
  const { answer, faults } = create();
  for (const method of ["item/fancy/request", "toString", "__proto__"]) {
    t.match(answer(method), { error: { code: -32601 } }, method);
  }
  t.strictSame(faults.counts, { server_request_unknown: 3 });
});

t.test("a tool call reaches its thread's owner, and its answer goes back as it is", async (t) => {
  const calls: [string, ToolCall][] = [];
  const given: ToolCallAnswer = { success: true, contentItems: [{ type: "inputText", text: "42" }] };
  const { answer } = create((threadId, call) => {
    calls.push([threadId, call]);
    return Promise.resolve(given);
  });
  t.strictSame(await answer("item/tool/call", call), { result: given });
  const { threadId, ...rest } = call;
  t.strictSame(calls, [[threadId, rest]]);
});

t.test("a tool call that nobody takes, that fails or cannot be read is answered as failed", async (t) => {
  const failed = { result: { success: false, contentItems: [{ type: "inputText" }] } };
  const cases: [string, CallTool, unknown][] = [
    ["tool_call_without_listener", () => null, call],
    ["tool_call_handler_failed", () => Promise.reject(new Error("no")), call],
    [
      "tool_call_handler_failed",
      () => {
        throw new Error("no");
      },
      call,
    ],
    ["tool_call_malformed", () => null, { threadId: "t" }],
  ];
  for (const [fault, callTool, params] of cases) {
    const { answer, faults } = create(callTool);
    t.match(await answer("item/tool/call", params), failed, fault);
    t.strictSame(faults.counts, { [fault]: 1 });
  }
});
