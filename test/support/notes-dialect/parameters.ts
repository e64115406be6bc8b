/** What the dialect leaves out, and what it refuses. */
export const ignored: readonly string[] = ["mood"];

export const refusals: Readonly<Record<string, string>> = { voice: "nothing is spoken here" };
