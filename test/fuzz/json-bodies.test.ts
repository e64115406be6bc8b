/** Bodies as their bytes come: whatever they hold, they are read as JSON.parse reads them, or refused as it refuses them. */
import fc from "fast-check";
import t from "tap";
import { CodexNativeApiError } from "../../src/main/errors.js";
import { receive } from "../support/received-body.js";
import { anyBodyText } from "./support/body-texts.js";
import { planFuzz } from "./support/fuzz-plan.js";

// On a machine with other work it takes its time; how much is tried does not depend on that.
t.setTimeout(900_000);

/** What a body is once half surrogate pairs are mended. */
function mend(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(mend);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key.toWellFormed(), mend(entry)]));
}

/** Whether two names of one object become the same by it, in valid JSON; also where a later name takes the object's place. */
function hasSameNames(json: string): boolean {
  const objects: Map<string, string>[] = [];
  for (const [token, written, colon] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*(:)?|[{}]/g)) {
    if (token === "{") objects.push(new Map());
    else if (token === "}") objects.pop();
    else if (written !== undefined && colon !== undefined) {
      const name = String(JSON.parse(written));
      const names = objects.at(-1);
      const other = names?.get(name.toWellFormed());
      if (other !== undefined && other !== name) return true;
      names?.set(name.toWellFormed(), name);
    }
  }
  return false;
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
  return hasSameNames(text) ? "invalid_request" : JSON.stringify(mend(parsed));
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
