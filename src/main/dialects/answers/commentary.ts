/**
 * Newer models mark their messages: `commentary` is what they say while they work, `final_answer` the answer. What they leave unmarked
 * counts as the answer.
 */
export function isCommentary(message: object): boolean {
  return "phase" in message && message.phase === "commentary";
}
