/** What each client is asked to do, and what came of it. */

export const capabilities = [
  "text",
  "stream",
  "functions",
  "custom tools",
  "structured output",
  "chain / resume",
  "abort",
  "WebSocket",
  "shell and patch",
  "decisions",
] as const;

export type Capability = (typeof capabilities)[number];

/** A capability without an outcome is one that the program does not have, or not without a terminal. */
export interface Outcome {
  readonly capability: Capability;
  readonly result: "ok" | "failed";
  /** Why. Empty where it worked. */
  readonly reason: string;
}

/** Runs one check. What it throws is the reason of a failure. */
export async function attempt(capability: Capability, check: () => Promise<void>): Promise<Outcome> {
  try {
    await check();
    return { capability, result: "ok", reason: "" };
  } catch (error) {
    return { capability, result: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

/** As `attempt`, told to whoever started this program: a line of JSON. */
export async function report(capability: Capability, check: () => Promise<void>): Promise<void> {
  process.stdout.write(`${JSON.stringify(await attempt(capability, check))}\n`);
}

/** Throws what was received instead. */
export function expect(holds: boolean, received: unknown): void {
  if (!holds) throw new Error(`received ${JSON.stringify(received)?.slice(0, 2_000)}`);
}
