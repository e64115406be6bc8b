/**
 * Answers each request of the app-server. Nobody is at hand to give consent, so a request for consent is declined; a request
 * without an answer would hold up its turn for good.
 */
import { z } from "zod";
import { methodNotFound, type RequestReply } from "./json-rpc-client.js";
import type { ToolCall, ToolCallAnswer } from "./protocol.js";
import { orNull } from "./schema-parts.js";

export interface ServerRequestContext {
  /** Passes a call to its thread's listener; null when the thread has none. */
  readonly callTool: (threadId: string, call: ToolCall) => Promise<ToolCallAnswer> | null;
  readonly countFault: (name: string) => void;
  /** Wall clock, in milliseconds. */
  readonly wallClock: () => number;
}

type Answer = (params: unknown, context: ServerRequestContext) => RequestReply | Promise<RequestReply>;

const noOneToAsk = "this client has nobody to ask";
/** In the range JSON-RPC leaves to implementations. */
const refusedCode = -32000;

export const toolCallParams = z.object({
  threadId: z.string(),
  turnId: z.string(),
  callId: z.string(),
  tool: z.string(),
  namespace: orNull(z.string()),
  arguments: z.unknown(),
});

const always =
  (result: unknown): Answer =>
  () => ({ result });

const refuse =
  (message: string): Answer =>
  () => ({ error: { code: refusedCode, message } });

export const serverRequestAnswers: Readonly<Record<string, Answer>> = {
  "item/commandExecution/requestApproval": always({ decision: "decline" }),
  "item/fileChange/requestApproval": always({ decision: "decline" }),
  /** An empty grant is how this request is declined. */
  "item/permissions/requestApproval": always({ permissions: {}, scope: "turn" }),
  applyPatchApproval: always({ decision: { denied: { rejection: noOneToAsk } } }),
  execCommandApproval: always({ decision: { denied: { rejection: noOneToAsk } } }),
  "item/tool/requestUserInput": always({ answers: {} }),
  "mcpServer/elicitation/request": always({ action: "decline", content: null, _meta: null }),
  "item/tool/call": answerToolCall,
  /** Only the official client logs in: this service holds no token to give. */
  "account/chatgptAuthTokens/refresh": refuse("this client holds no tokens"),
  "attestation/generate": refuse("this client cannot attest"),
  /** Up to 0.169. */
  "currentTime/read": (_params, { wallClock }) => ({
    result: { currentTimeAt: Math.floor(wallClock() / 1000) },
  }),
};

export function answerServerRequest(
  method: string,
  params: unknown,
  context: ServerRequestContext,
): RequestReply | Promise<RequestReply> {
  const answer = Object.hasOwn(serverRequestAnswers, method) ? serverRequestAnswers[method] : undefined;
  if (answer !== undefined) return answer(params, context);
  context.countFault("server_request_unknown");
  return { error: { code: methodNotFound, message: `${method} is unknown to this client` } };
}

async function answerToolCall(params: unknown, context: ServerRequestContext): Promise<RequestReply> {
  const parsed = toolCallParams.safeParse(params);
  if (!parsed.success) {
    context.countFault("tool_call_malformed");
    return failToolCall("the tool call could not be read");
  }
  const { threadId, ...call } = parsed.data;
  try {
    const answer = context.callTool(threadId, call);
    if (answer !== null) return { result: await answer };
    context.countFault("tool_call_without_listener");
  } catch {
    context.countFault("tool_call_handler_failed");
  }
  return failToolCall("the tool is not available");
}

function failToolCall(text: string): RequestReply {
  return { result: { success: false, contentItems: [{ type: "inputText", text }] } satisfies ToolCallAnswer };
}
