import { compareToTested, isAtLeast } from "./codex-capabilities.js";
import type { JsonObject } from "./json.js";
import type { NativeThreadChoice, ThreadSettings } from "./turn.js";

/**
 * The settings of a thread that serves a turn with any instructions, which it gets as its first item; null where the model could tell
 * the two apart, or there are none. In the `lean` form 0.169 and later send instructions as such an item themselves
 * (`test/e2e/spare-threads.test.ts` compares what the backend is sent); a version that was not tried may not.
 */
export function blankSettings(thread: ThreadSettings, codexVersion: string | null): ThreadSettings | null {
  const { form, instructions } = thread;
  if (form !== "lean" || instructions === "" || !servesBlank(thread, codexVersion)) return null;
  return { ...thread, instructions: "" };
}

/**
 * What a turn's thread is started with. By Responses Lite instructions are always given as an item: where there are no functions Codex
 * sends its base instructions twice (0.150 to 0.171).
 */
export function startSettings(thread: ThreadSettings): ThreadSettings {
  return thread.form === "lean_lite" ? { ...thread, instructions: "" } : thread;
}

/** Whether a thread with such settings, but without instructions, may serve turns with any. */
export function servesBlank({ form }: ThreadSettings, codexVersion: string | null): boolean {
  if (form === "codex" || codexVersion === null) return false;
  return compareToTested(codexVersion) === "within" && isAtLeast(codexVersion, 0, 169);
}

/**
 * The instructions of a turn as its first item, where its thread does not bring them: one that was blank, any of Responses Lite, and any in
 * the `codex` form, where Codex's own instructions stay and the caller's come after them.
 */
export function missingInstructions(
  { instructions, form }: ThreadSettings,
  nativeThread: NativeThreadChoice,
): readonly JsonObject[] {
  if (instructions === "" || nativeThread.kind === "continued") return [];
  const isMissing = form !== "lean" || (nativeThread.kind === "spare" && nativeThread.lacksInstructions);
  if (!isMissing) return [];
  return [{ type: "message", role: "developer", content: [{ type: "input_text", text: instructions }] }];
}
