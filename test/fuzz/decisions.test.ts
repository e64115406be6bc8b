/** Requests for decisions of any form, and what any model may answer: a clear refusal, or answers that hold what OpenAI's promise. */
import fc from "fast-check";
import t from "tap";
import type { DecisionAnswer, DecisionQuestion } from "../../src/main/dialects/decisions/decision-types.js";
import { parseDecision } from "../../src/main/dialects/decisions/decode.js";
import { CodexNativeApiError } from "../../src/main/errors.js";
import type { JsonObject } from "../../src/workers/contract/json.js";
import { answerTo, textOf } from "../support/decisions.js";
import { answersFor } from "../support/offline-backend/decisions.js";
import { planFuzz } from "./support/fuzz-plan.js";

t.setTimeout(900_000);

const words = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("__proto__", "\n# message", "\u2028", "q002"),
);
const value = fc.oneof(words, fc.boolean());
const name = fc.option(words, { nil: undefined });

const question: fc.Arbitrary<DecisionQuestion> = fc.oneof(
  fc.record({ type: fc.constant("predicate" as const), name, instructions: words }),
  fc.record({
    type: fc.constant("choice" as const),
    name,
    instructions: words,
    choices: fc
      .uniqueArray(value, { minLength: 2, maxLength: 60 })
      .map((values) => values.map((one) => ({ value: one }))),
  }),
  fc.record({
    type: fc.constant("score" as const),
    name,
    instructions: words,
    levels: fc.array(fc.record({ label: words }), { minLength: 2, maxLength: 10 }),
  }),
);
const questions = fc.array(question, { minLength: 1, maxLength: 6 });

/** The codes that a request or a model's output may be refused with. */
const refusals = ["invalid_request", "unsupported_decisions_feature", "invalid_model_output"];

/** Null where it is refused as it may be. */
function unlessRefused<Result>(run: () => Result): Result | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof CodexNativeApiError && refusals.includes(error.code)) return null;
    throw error;
  }
}

function checkAnswer(answer: DecisionAnswer, asked: DecisionQuestion): void {
  if (answer.name !== (asked.name ?? null)) throw new Error("another name");
  if (answer.type === "refusal") return;
  if (answer.type === "predicate") {
    checkProbability(answer.probability);
    return;
  }
  const probabilities = answer.probabilities.map(({ probability }) => probability);
  for (const probability of [...probabilities, answer.confidence]) checkProbability(probability);
  const sum = probabilities.reduce((total, probability) => total + probability, 0);
  if (Math.abs(sum - 1) > 1e-12) throw new Error(`the sum is ${sum}`);
  if (answer.type === "choice") checkChoice(answer, asked);
  else checkScore(answer, probabilities);
}

function checkProbability(probability: number): void {
  if (!(probability >= 0 && probability <= 1)) throw new Error(`${probability} is no probability`);
}

function checkChoice(
  answer: Extract<DecisionAnswer, { readonly type: "choice" }>,
  asked: DecisionQuestion,
): void {
  const values = asked.type === "choice" ? asked.choices.map((choice) => choice.value) : [];
  const told = answer.probabilities.map((entry) => entry.value);
  if (JSON.stringify(told) !== JSON.stringify(values)) throw new Error("other values than were asked");
  const chosen = answer.probabilities.find((entry) => entry.value === answer.choice)?.probability ?? -1;
  if (answer.probabilities.some(({ probability }) => probability > chosen))
    throw new Error("not the likeliest");
}

function checkScore(
  { score }: Extract<DecisionAnswer, { readonly type: "score" }>,
  probabilities: readonly number[],
): void {
  const mean = probabilities.reduce((total, probability, level) => total + probability * level, 0);
  if (score < 0 || score > probabilities.length - 1) throw new Error(`${score} is beyond the levels`);
  if (Math.abs(mean - score) > 1e-9) throw new Error(`${score} is not the mean`);
}

const anyNumber = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double(),
  fc.constantFrom(0, 1, 5e-324),
);

/** What was asked for, with numbers of any kind, and maybe one place put wrong. */
function anyOutput(asked: readonly DecisionQuestion[]): fc.Arbitrary<unknown> {
  const right = answersFor(parseDecision({ input: "", questions: asked }).request.outputSchema ?? {});
  const leaf = fc.oneof({ weight: 20, arbitrary: anyNumber }, { weight: 1, arbitrary: fc.jsonValue() });
  const place = fc.tuple(fc.nat(), fc.oneof(fc.constant("refused"), fc.jsonValue(), fc.constant(undefined)));
  return fc.tuple(fc.infiniteStream(leaf), fc.option(place)).map(([numbers, change]) => {
    const filled = fill(right, () => numbers.next().value);
    if (change === null) return filled;
    const keys = Object.keys(filled);
    return { ...filled, [keys[change[0] % keys.length] ?? ""]: change[1] };
  });
}

function fill(output: JsonObject, next: () => unknown): JsonObject {
  return Object.fromEntries(
    Object.entries(output).map(([key, entry]) => {
      if (typeof entry === "number") return [key, next()];
      if (Array.isArray(entry))
        return [
          key,
          [
            { value: 1, probability: next() },
            { value: 0, probability: next() },
          ],
        ];
      return [key, fill(entry as JsonObject, next)];
    }),
  );
}

t.test(
  "whatever a model says, each answer is of its question, or the request fails as a whole",
  async (t) => {
    const { seed, runs } = planFuzz(t, 4_000);
    let answered = 0;
    const cases = questions.chain((asked) => fc.tuple(fc.constant(asked), anyOutput(asked)));
    fc.assert(
      fc.property(cases, ([asked, output]) => {
        const body = unlessRefused(() => answerTo(asked, output));
        if (body === null) return;
        answered += 1;
        if (body.answers.length !== asked.length) throw new Error("another number of answers");
        for (const [index, answer] of body.answers.entries())
          checkAnswer(answer, asked[index] as DecisionQuestion);
      }),
      { seed, numRuns: runs },
    );
    t.ok(answered > runs / 20, `${answered} were answered`);
  },
);

t.test("any text and any JSON in a model's place is refused or read", async (t) => {
  const { seed, runs } = planFuzz(t, 4_000);
  const output = fc.oneof(
    fc.string(),
    fc.json(),
    fc.jsonValue().map((held) => JSON.stringify({ q001: held })),
  );
  fc.assert(
    fc.property(questions, output, (asked, said) => {
      const body = unlessRefused(() => answerTo(asked, said));
      for (const [index, answer] of (body?.answers ?? []).entries())
        checkAnswer(answer, asked[index] as DecisionQuestion);
    }),
    { seed, numRuns: runs },
  );
  t.pass();
});

t.test("any request is refused with a path, or becomes a prompt whose lines are all ours", async (t) => {
  const { seed, runs } = planFuzz(t, 4_000);
  const part = fc.oneof(
    fc.record({ type: fc.constant("input_text"), text: words }),
    fc.record({ type: fc.constant("input_json"), data: fc.dictionary(words, fc.jsonValue()) }),
    fc.jsonValue(),
  );
  const item = fc.oneof(
    fc.record({
      role: fc.constantFrom("user", "assistant", "developer", "system", "tool"),
      content: fc.oneof(words, fc.array(part)),
    }),
    fc.record({ type: fc.constant("function_call"), name: words, call_id: words, arguments: words }),
    fc.record({ type: fc.constant("function_call_output"), call_id: words, output: words }),
    fc.jsonValue(),
  );
  const body = fc.record({
    input: fc.oneof(words, fc.array(item, { maxLength: 4 }), fc.jsonValue()),
    questions: fc.oneof({ weight: 5, arbitrary: questions }, { weight: 1, arbitrary: fc.jsonValue() }),
  });
  fc.assert(
    fc.property(body, (request) => {
      const turn = unlessRefused(() => parseDecision(request));
      if (turn === null) return;
      for (const shown of [...turn.request.items].slice(1, -1)) {
        for (const line of textOf(shown).split(/[\n\r\u0085\u2028\u2029]/)) {
          if (!/^(# |"|\{|\[|refused: ")/.test(line)) throw new Error(`a line of the input's own: ${line}`);
        }
        const heads = textOf(shown).match(/^# /gm) ?? [];
        if (heads.length !== 1) throw new Error(`${heads.length} heads`);
      }
    }),
    { seed, numRuns: runs },
  );
  t.pass();
});
