/**
 * Each call in the history needs its tool message and each tool message its call: Codex drops an output without a call, and
 * answers a call without an output in the function's place. OpenAI refuses both, and so does this.
 */

import type { ChatMessage } from "./message-schemas.js";
import { invalid } from "./request-error.js";

/** @throws CodexNativeApiError `invalid_request` for the first message that is left alone. */
export function refuseUnpairedCalls(messages: readonly ChatMessage[]): void {
  /** Calls so far without an answer, with the path of each. */
  const open = new Map<string, string>();
  const called = new Set<string>();
  for (const [index, message] of messages.entries()) {
    if (message.role === "assistant") {
      for (const [at, { id }] of (message.tool_calls ?? []).entries()) {
        open.set(id, `messages[${index}].tool_calls[${at}].id`);
        called.add(id);
      }
    } else if (message.role === "tool") {
      const { tool_call_id: id } = message;
      if (!called.has(id)) {
        throw invalid(
          `messages[${index}].tool_call_id`,
          `no message before it has a call '${id.slice(0, 64)}' in its 'tool_calls'`,
        );
      }
      open.delete(id);
    }
  }
  for (const [id, param] of open) {
    throw invalid(param, `no tool message after it answers call '${id.slice(0, 64)}'`);
  }
}
