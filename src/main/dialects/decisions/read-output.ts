/** The model's answer, checked against what was asked, as OpenAI's answers. */
import { isJsonObject, parseJsonObject } from "../../../workers/contract/json.js";
import type { DecisionAnswer, DecisionChoiceValue } from "./decision-types.js";
import {
  choiceConfidence,
  indexOfLargest,
  meanLevel,
  normalize,
  scoreConfidence,
  spread,
} from "./distribution.js";
import { invalidOutput } from "./errors.js";
import { listKeys, maxLikeliest, maxStatedValues, questionKeys, refused } from "./output-schema.js";

/** What an answer needs of its question. */
export type AskedQuestion =
  | { readonly type: "predicate"; readonly name: string | null; readonly count: 0 }
  | {
      readonly type: "choice";
      readonly name: string | null;
      readonly count: number;
      readonly values: readonly DecisionChoiceValue[];
    }
  | {
      readonly type: "score";
      readonly name: string | null;
      readonly count: number;
      readonly labels: readonly string[];
    };

/**
 * In the order of the questions.
 *
 * @throws CodexNativeApiError `invalid_model_output` for a text that is not of the schema, or breaks a bound that a schema cannot say.
 */
export function readAnswers(text: string, asked: readonly AskedQuestion[]): readonly DecisionAnswer[] {
  const output = parseJsonObject(text);
  if (output === null) throw invalidOutput("it is no JSON object");
  requireKeys(output, questionKeys.slice(0, asked.length), "the answer");
  return asked.map((question, index) => {
    const key = questionKeys[index] ?? "";
    return readAnswer(output[key], question, key);
  });
}

/** The model declined the request as a whole. */
export function refuseAll(asked: readonly AskedQuestion[]): readonly DecisionAnswer[] {
  return asked.map(({ name }) => ({ type: "refusal", name }));
}

function readAnswer(stated: unknown, question: AskedQuestion, key: string): DecisionAnswer {
  const { name } = question;
  if (stated === refused) return { type: "refusal", name };
  if (question.type === "predicate") {
    return { type: "predicate", name, probability: readProbability(stated, key) };
  }
  const probabilities = normalize(readDistribution(stated, question.count, key));
  if (probabilities === null) throw invalidOutput(`all probabilities of ${key} are 0`);
  if (question.type === "choice") return toChoice(question, probabilities);
  return {
    type: "score",
    name,
    score: meanLevel(probabilities),
    probabilities: question.labels.map((label, value) => ({
      value,
      label,
      probability: probabilities[value] ?? 0,
    })),
    confidence: scoreConfidence(probabilities),
  };
}

function toChoice(
  { name, values }: Extract<AskedQuestion, { readonly type: "choice" }>,
  probabilities: readonly number[],
): DecisionAnswer {
  const choice = values[indexOfLargest(probabilities)];
  if (choice === undefined) throw new Error("A choice has at least two values.");
  return {
    type: "choice",
    name,
    choice,
    probabilities: values.map((value, index) => ({ value, probability: probabilities[index] ?? 0 })),
    confidence: choiceConfidence(probabilities),
  };
}

function readDistribution(stated: unknown, count: number, key: string): readonly number[] {
  if (count > maxStatedValues) return spread(readLikeliest(stated, count, key), count);
  if (!isJsonObject(stated)) throw invalidOutput(`${key} is no object`);
  const keys = listKeys(count);
  requireKeys(stated, keys, key);
  return keys.map((value) => readProbability(stated[value], `${key}.${value}`));
}

function readLikeliest(stated: unknown, count: number, key: string): ReadonlyMap<number, number> {
  if (!Array.isArray(stated) || stated.length === 0 || stated.length > maxLikeliest) {
    throw invalidOutput(`${key} is no list of 1 to ${maxLikeliest} values`);
  }
  const named = new Map<number, number>();
  for (const [at, entry] of stated.entries()) {
    const place = `${key}[${at}]`;
    if (!isJsonObject(entry)) throw invalidOutput(`${place} is no object`);
    requireKeys(entry, ["value", "probability"], place);
    const { value } = entry;
    const isAsked = typeof value === "number" && Number.isInteger(value) && value >= 0 && value < count;
    if (!isAsked) throw invalidOutput(`${place}.value is none of the values`);
    if (named.has(value)) throw invalidOutput(`${place}.value comes twice`);
    named.set(value, readProbability(entry.probability, place));
  }
  return named;
}

function readProbability(stated: unknown, place: string): number {
  if (typeof stated === "number" && stated >= 0 && stated <= 1) return stated;
  throw invalidOutput(`${place} is no number from 0 to 1`);
}

function requireKeys(value: object, keys: readonly string[], place: string): void {
  const missing = keys.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) throw invalidOutput(`${place} lacks ${missing}`);
  if (Object.keys(value).length > keys.length)
    throw invalidOutput(`${place} has keys that were not asked for`);
}
