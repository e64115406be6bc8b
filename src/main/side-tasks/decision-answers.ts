/** The answers to a decision: as the service gives them, or read from what a model replied. */
import { z } from "zod";
import type { JsonObject } from "../../workers/contract/json.js";
import { readDecisionBody } from "../dialects/decisions/read-decision.js";
import { type AskedQuestion, readAnswers, refuseAll } from "../dialects/decisions/read-output.js";
import { CodexNativeApiError } from "../errors.js";
import { failureOfCode } from "./fall-through.js";
import { stripFence } from "./output-schema.js";
import { uncheckable } from "./output-text.js";
import type { DecisionReading, RouteAnswer } from "./route.js";
import { RouteFailure } from "./route-failure.js";
import { nativeTarget, responseUsage } from "./wire-answers.js";

/** Beside the answers. */
const circumstances = z.looseObject({
  usage: responseUsage.nullable().default(null).catch(null),
  native_api: nativeTarget.nullable().default(null).catch(null),
});

/** Null where the body is not the service's answer to these questions. */
export function readServiceDecision(
  body: JsonObject | null,
  asked: readonly AskedQuestion[],
): RouteAnswer | null {
  const decision = readDecisionBody(body, asked);
  if (decision === null) return null;
  const { answers, method, model } = decision;
  const { usage, native_api: native } = circumstances.parse(body);
  return { reply: { answers, method }, responseId: null, usage, model, native };
}

/** @throws RouteFailure `bad_output` for a reply that does not answer the questions. */
export function readDecision(reply: RouteAnswer["reply"], asked: readonly AskedQuestion[]): DecisionReading {
  if ("answers" in reply) return reply;
  const { text, isRefusal } = reply;
  try {
    const answers = isRefusal ? refuseAll(asked) : readAnswers(stripFence(text), asked);
    return { answers, method: "stated" };
  } catch (error) {
    if (!(error instanceof CodexNativeApiError)) throw uncheckable(text, error);
    const { code, message } = error;
    throw new RouteFailure(failureOfCode[code], { code, message, outputText: text, cause: error });
  }
}
