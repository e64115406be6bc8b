import { type CallStep, refuseUnpairedSteps } from "../tools/call-pairs.js";
import type { ChatMessage } from "./message-schemas.js";

/** @throws CodexNativeApiError `invalid_request` for the first call or tool message that has no partner. */
export function refuseUnpairedCalls(messages: readonly ChatMessage[]): void {
  refuseUnpairedSteps(listSteps(messages));
}

function* listSteps(messages: readonly ChatMessage[]): Iterable<CallStep> {
  for (const [index, message] of messages.entries()) {
    if (message.role === "assistant") {
      for (const [at, call] of (message.tool_calls ?? []).entries()) {
        const kind = call.type === "custom" ? "custom tool" : "function";
        yield { step: "call", callId: call.id, kind, param: `messages[${index}].tool_calls[${at}].id` };
      }
    } else if (message.role === "tool") {
      const param = `messages[${index}].tool_call_id`;
      // A tool message does not say what it answers.
      yield { step: "output", callId: message.tool_call_id, kind: null, param };
    }
  }
}
