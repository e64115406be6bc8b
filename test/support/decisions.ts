/** Requests for decisions and answers of models, for tests. */

import type { DecisionQuestion } from "../../src/main/dialects/decisions/decision-types.js";
import { parseDecision } from "../../src/main/dialects/decisions/decode.js";
import { DecisionBuilder } from "../../src/main/dialects/decisions/encode.js";
import { CodexNativeApiError } from "../../src/main/errors.js";
import type { IsolatedTurnResult, JsonObject } from "../../src/main/runtime/types.js";
import { isJsonObject } from "../../src/workers/contract/json.js";
import { fakeStarted, fakeUsage, messageItem } from "./fake-runtime.js";

export const predicate: DecisionQuestion = { type: "predicate", name: "p", instructions: "It is urgent." };

export function choiceOf(...values: readonly (string | boolean)[]): DecisionQuestion {
  return { type: "choice", name: "c", instructions: "Which?", choices: values.map((value) => ({ value })) };
}

/** Of so many values. */
export function longChoice(count: number): DecisionQuestion {
  return choiceOf(...Array.from({ length: count }, (_, index) => `value ${index}`));
}

export function scoreOf(...labels: readonly string[]): DecisionQuestion {
  return { type: "score", name: "s", instructions: "How much?", levels: labels.map((label) => ({ label })) };
}

/** The turn that a request becomes, with its items as values. */
export function decisionTurn(body: object) {
  const turn = parseDecision({ model: "gpt-6-luna", input: "hi", questions: [predicate], ...body });
  return { ...turn, shown: [...turn.request.items] };
}

/** Code, path and message of the error that the function throws. */
export function faultOf(run: () => unknown): readonly [code: string, param: string | null, message: string] {
  try {
    run();
  } catch (error) {
    if (error instanceof CodexNativeApiError) return [error.code, error.param, error.message];
    throw error;
  }
  return ["none", null, ""];
}

/** All text that the model sees of a message. */
export function textOf({ content }: JsonObject): string {
  const parts: readonly JsonObject[] = Array.isArray(content) ? content : [];
  return parts.map(({ text }) => (typeof text === "string" ? text : "")).join("");
}

type Outcome = IsolatedTurnResult["outcome"];

/** The body of the answer to a turn in which the model said this, a message or its text. */
export function answerTo(
  questions: readonly DecisionQuestion[],
  output: unknown,
  outcome: Outcome = { status: "completed" },
) {
  const answer = new DecisionBuilder(parseDecision({ input: "hi", questions }), {
    routePath: "/v1/decisions",
    wallClock: () => 0,
    newId: (prefix) => `${prefix}_1`,
  });
  answer.start(fakeStarted);
  answer.push({ type: "item.completed", item: toMessage(output) });
  answer.end({ outcome, usage: fakeUsage, unmet: [] });
  return answer.body;
}

function toMessage(output: unknown): JsonObject {
  if (isJsonObject(output) && output.type === "message") return output;
  return messageItem("msg_1", typeof output === "string" ? output : JSON.stringify(output));
}
