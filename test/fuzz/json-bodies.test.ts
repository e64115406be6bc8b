/** Bodies as their bytes come: whatever they hold, they are read as JSON.parse reads them, or refused as it refuses them. */
import fc from "fast-check";
import t from "tap";
import { CodexNativeApiError } from "../../src/main/errors.js";
import { receive } from "../support/received-body.js";
import { anyBodyText } from "./support/body-texts.js";
import { planFuzz } from "./support/fuzz-plan.js";

// On a machine with other work it takes its time; how much is tried does not depend on that.
t.setTimeout(900_000);

/** What a body is once half surrogate pairs are mended; null where two keys would be the same. */
function mend(value: unknown): { readonly mended: unknown } | null {
  if (typeof value === "string") return { mended: value.toWellFormed() };
  if (typeof value !== "object" || value === null) return { mended: value };
  const entries = Object.entries(value).map(
    ([key, entry]: [string, unknown]) => [key.toWellFormed(), mend(entry)] as const,
  );
  const names = new Set(entries.map(([key]) => key));
  if (names.size < entries.length || entries.some(([, entry]) => entry === null)) return null;
  if (Array.isArray(value)) return { mended: entries.map(([, entry]) => entry?.mended) };
  return { mended: Object.fromEntries(entries.map(([key, entry]) => [key, entry?.mended])) };
}

async function verdictOf(text: string, chunkBytes: number): Promise<string> {
  try {
    return JSON.stringify(await receive(text, chunkBytes));
  } catch (error) {
    if (error instanceof CodexNativeApiError) return error.code;
    throw error;
  }
}

function expectedOf(text: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return "invalid_json";
  }
  const whole = mend(parsed);
  return whole === null ? "invalid_request" : JSON.stringify(whole.mended);
}

t.test("generated bodies with half emojis in texts and keys are read as JSON.parse reads them", async (t) => {
  const { seed, runs } = planFuzz(t, 40_000);
  const verdicts = new Map<string, number>();
  const property = fc.asyncProperty(
    anyBodyText,
    fc.integer({ min: 1, max: 40 }),
    async (text, chunkBytes) => {
      const [verdict, expected] = [await verdictOf(text, chunkBytes), expectedOf(text)];
      const kind = /^invalid_/.test(verdict) ? verdict : "read";
      verdicts.set(kind, (verdicts.get(kind) ?? 0) + 1);
      if (verdict !== expected) throw new Error(`read as ${verdict}, meant is ${expected}`);
    },
  );
  await fc.assert(property, { seed, numRuns: runs });
  t.comment(`verdicts: ${JSON.stringify(Object.fromEntries(verdicts))}`);
  t.equal(verdicts.size, 3, "some were read, some no JSON, some had names that would be the same");
});
