import { wasTested } from "./codex-capabilities.js";
import type { ThreadSettings } from "./turn.js";

/**
 * The settings of a thread that serves a turn with any instructions, which it gets as its first item; null where the model could tell
 * the two apart, or there are none. In the `lean` form 0.169 and later send instructions as such an item themselves
 * (`test/e2e/spare-threads.test.ts` compares what the backend is sent); a version that was not tested may not.
 */
export function blankSettings(thread: ThreadSettings, codexVersion: string | null): ThreadSettings | null {
  const { form, instructions } = thread;
  if (form !== "lean" || instructions === "" || !servesBlank(thread, codexVersion)) return null;
  return { ...thread, instructions: "" };
}

/**
 * The settings that a turn's thread is started with. By Responses Lite instructions are always given as an item: where there are no
 * functions Codex sends its base instructions twice (0.150 to 0.171).
 */
export function startSettings(thread: ThreadSettings): ThreadSettings {
  return thread.form === "lean_lite" ? { ...thread, instructions: "" } : thread;
}

/** Whether a thread with such settings, but without instructions, may serve turns with any. */
export function servesBlank({ form }: ThreadSettings, codexVersion: string | null): boolean {
  return form !== "codex" && wasTested(codexVersion, 0, 169);
}
