/** The answers of decisions: what was decided, and how sure the model says it is. */
import * as z from "zod/mini";
import type { Formats } from "../../texts/format.js";
import { tryTexts } from "../../texts/try.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";

const value = z.union([z.string(), z.boolean(), z.number()]);
const shape = z.object({
  type: z.string(),
  name: z.optional(z.nullable(z.string())),
  probability: z.optional(z.number()),
  choice: z.optional(value),
  score: z.optional(z.number()),
  confidence: z.optional(z.number()),
  probabilities: z.optional(
    z.array(z.object({ value, label: z.optional(z.string()), probability: z.number() })),
  ),
});
type Decision = z.infer<typeof shape>;

export function DecisionList({ decisions }: { readonly decisions: readonly unknown[] }) {
  return (
    <ol class="decisions">
      {decisions.map((decision, index) => {
        const parsed = shape.safeParse(decision);
        return (
          <li key={index}>
            {parsed.success ? (
              <One decision={parsed.data} number={index + 1} />
            ) : (
              <pre class="foreign">{JSON.stringify(decision, null, 2)}</pre>
            )}
          </li>
        );
      })}
    </ol>
  );
}

function One({ decision, number }: { readonly decision: Decision; readonly number: number }) {
  const texts = useTexts(tryTexts);
  const formats = useFormats();
  const { name, probability, probabilities = [], confidence } = decision;
  const bars =
    probability === undefined
      ? probabilities.map(({ value: of, label, probability: share }) => ({
          name: label ?? String(of),
          share,
        }))
      : [{ name: texts.probability(formats.percent(probability)), share: probability }];
  return (
    <>
      <div class="decision-head">
        <h3 class="foreign">{name ?? texts.question(formats.count(number))}</h3>
        <span class="decision-answer foreign">{sayDecision(decision, texts.refusal, formats)}</span>
        {confidence !== undefined && (
          <span class="muted small">{texts.confidence(formats.percent(confidence))}</span>
        )}
      </div>
      <ul class="decision-bars">
        {bars.map((bar) => (
          <li key={bar.name} class="decision-bar">
            <span class="foreign">{bar.name}</span>
            <span class="bar" aria-hidden="true">
              <span class="bar-part color-1" style={{ width: `${bar.share * 100}%` }} />
            </span>
            <span class="number">{formats.percent(bar.share)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function sayDecision({ type, choice, score }: Decision, refusal: string, formats: Formats): string {
  if (type === "refusal") return refusal;
  if (choice !== undefined) return String(choice);
  return score === undefined ? "" : formats.count(score);
}
