import type { Dialect, Encoding } from "../dialects/dialect.js";
import type { ContinuationOptions } from "./continuation.js";

/** What a dialect's answer is made with. */
export interface EncodingOptions extends Pick<ContinuationOptions, "wallClock" | "runtime"> {
  readonly dialect: Dialect;
  readonly newId: (prefix: string) => string;
  /** See `Encoding`. Default: true. */
  readonly streamDone?: boolean;
}

export function encodingOf(options: EncodingOptions): Encoding {
  const { dialect, wallClock, newId, runtime, streamDone = true } = options;
  const defaultModel = () => {
    const { readiness, catalog } = runtime.health();
    // Before Codex is ready the catalog may be another account's.
    return readiness.ready ? (catalog?.defaultModel ?? null) : null;
  };
  return { routePath: dialect.route, wallClock, newId, streamDone, defaultModel };
}
