/** A decision as a service answers it, for those that ask one: checked against what they asked, so that its types can be trusted. */
import { z } from "zod";
import type { JsonObject } from "../../../workers/contract/json.js";
import type { DecisionAnswer } from "./decision-types.js";
import type { AskedQuestion } from "./read-output.js";
import { decisionLimits } from "./request-schema.js";

const name = z.string().nullable();
const probability = z.number().min(0).max(1);
const value = z.union([z.string(), z.boolean()]);
const ofValue = z.object({ value, probability });
const ofLevel = z.object({ value: z.number(), label: z.string(), probability });

const answerSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("predicate"), name, probability }),
  z.object({
    type: z.literal("choice"),
    name,
    choice: value,
    confidence: probability,
    probabilities: z.array(ofValue).max(decisionLimits.maxChoices),
  }),
  z.object({
    type: z.literal("score"),
    name,
    score: z.number(),
    confidence: probability,
    probabilities: z.array(ofLevel).max(decisionLimits.maxLevels),
  }),
  z.object({ type: z.literal("refusal"), name }),
]);

const decision = z.looseObject({
  model: z.string(),
  // Measured before it is read.
  answers: z.array(z.unknown()).max(decisionLimits.maxQuestions).pipe(z.array(answerSchema)),
  native_api: z.looseObject({ decisions: z.looseObject({ method: z.string() }) }),
});

export interface ServiceDecision {
  readonly answers: readonly DecisionAnswer[];
  readonly model: string;
  /** How the probabilities were found. */
  readonly method: string;
}

/** Null where the body is not the answer of `POST /v1/decisions` to these questions. */
export function readDecisionBody(
  body: JsonObject | null,
  asked: readonly AskedQuestion[],
): ServiceDecision | null {
  const { data } = decision.safeParse(body);
  if (data === undefined) return null;
  const { answers, model, native_api: native } = data;
  const isWhole =
    answers.length === asked.length &&
    asked.every((question, index) => isAnswerTo(question, answers[index] ?? null));
  return isWhole ? { answers, model, method: native.decisions.method } : null;
}

function isAnswerTo(question: AskedQuestion, answer: DecisionAnswer | null): boolean {
  if (answer === null || answer.name !== question.name) return false;
  if (answer.type === "refusal") return true;
  if (answer.type === "predicate") return question.type === "predicate";
  if (answer.type === "score") {
    const labels = answer.probabilities.map(({ label }) => label);
    return question.type === "score" && isSame(question.labels, labels);
  }
  const values = answer.probabilities.map((entry) => entry.value);
  return (
    question.type === "choice" && question.values.includes(answer.choice) && isSame(question.values, values)
  );
}

function isSame<Value>(asked: readonly Value[], answered: readonly Value[]): boolean {
  return asked.length === answered.length && asked.every((value, index) => value === answered[index]);
}
