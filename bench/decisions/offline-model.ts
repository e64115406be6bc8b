/** Stands in for a model, so that the evaluation runs without a login: it knows the labels, and is wrong or unsure in a fixed share of cases. */
import { createHash } from "node:crypto";
import { listKeys } from "../../src/main/dialects/decisions/output-schema.js";
import { isJsonObject } from "../../src/workers/contract/json.js";
import { type RecordedModelRequest, type Reply, text } from "../../test/support/offline-backend/index.js";
import { type LabelledCase, labelsOf } from "./labelled-set.js";

export function answerFrom(cases: readonly LabelledCase[]): (request: RecordedModelRequest) => Reply {
  return (request) => {
    const asked = cases.find((candidate) => isAskedBy(request, candidate));
    return text(asked === undefined ? "This is no case of the set." : JSON.stringify(answer(asked, request)));
  };
}

/** Decisions quote an input as JSON, plain responses send it as it is. */
function isAskedBy({ fullInput }: RecordedModelRequest, { input }: LabelledCase): boolean {
  const quoted = JSON.stringify(input);
  return fullInput.some(({ content }) =>
    (Array.isArray(content) ? content : []).some((part) => {
      const sent = isJsonObject(part) && typeof part.text === "string" ? part.text : "";
      return sent === input || sent.endsWith(quoted);
    }),
  );
}

function answer(asked: LabelledCase, { body }: RecordedModelRequest): object {
  const labels = labelsOf(asked.question);
  const { sure, isRight } = drawFor(asked.input);
  const chosen = isRight ? asked.label : (labels.find((label) => label !== asked.label) ?? asked.label);
  if (!isDecision(body.text)) return { answer: chosen, probability: sure };
  if (asked.question.type === "predicate") return { q001: chosen === "true" ? sure : 1 - sure };
  const rest = (1 - sure) / (labels.length - 1);
  const stated = listKeys(labels.length).map(
    (key, at) => [key, labels[at] === chosen ? sure : rest] as const,
  );
  return { q001: Object.fromEntries(stated) };
}

function isDecision(text: unknown): boolean {
  const format = isJsonObject(text) && isJsonObject(text.format) ? text.format : {};
  const schema = isJsonObject(format.schema) ? format.schema : {};
  return isJsonObject(schema.properties) && "q001" in schema.properties;
}

/** The same for the same input, whoever asks: as sure as it is, so often it is right. */
function drawFor(input: string): { readonly sure: number; readonly isRight: boolean } {
  const digest = createHash("sha256").update(input).digest();
  const sure = 0.7 + 0.29 * (digest.readUInt16BE(0) / 0xffff);
  return { sure, isRight: digest.readUInt16BE(2) / 0xffff < sure };
}
