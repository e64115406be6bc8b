import type { CallPairs } from "../tools/call-pairs.js";
import type { ChatMessage } from "./message-schemas.js";

/** Tells the pairs of a history's calls what a message has of them. */
export function takeSteps(pairs: CallPairs, message: ChatMessage, index: number): void {
  if (message.role === "assistant") {
    for (const [at, call] of (message.tool_calls ?? []).entries()) {
      const kind = call.type === "custom" ? "custom tool" : "function";
      pairs.take({ step: "call", callId: call.id, kind, param: `messages[${index}].tool_calls[${at}].id` });
    }
  } else if (message.role === "tool") {
    const param = `messages[${index}].tool_call_id`;
    // A tool message does not say what it answers.
    pairs.take({ step: "output", callId: message.tool_call_id, kind: null, param });
  }
}
