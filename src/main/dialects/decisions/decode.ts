/** A request for decisions becomes one turn: its questions and its input as a prompt, and a strict schema for all answers. */
import { isJsonObject } from "../../../workers/contract/json.js";
import type { ItemList } from "../../history/item-list.js";
import type { Decoding, DialectTurn } from "../dialect.js";
import { checkElement } from "../requests/check-element.js";
import { isGiven } from "../requests/fields.js";
import { refuseParameters, rejectIgnored } from "../requests/parameters.js";
import { type JsonBody, type ListReader, parseBody, readElements, readList } from "../requests/parse-body.js";
import { fieldError, requestParsing, toRequestError } from "../requests/schema-fault.js";
import { readBridgeTask, toSettings } from "../requests/turn-request.js";
import { CallPairs, takeStep } from "../tools/call-pairs.js";
import { unsupported, unsupportedFeature } from "./errors.js";
import { buildOutputSchema } from "./output-schema.js";
import { listIgnoredParameters, parameters } from "./parameters.js";
import { DecisionPrompt, decisionInstructions } from "./prompt.js";
import type { AskedQuestion } from "./read-output.js";
import {
  type CheckedQuestion,
  type DecisionHead,
  decisionHead,
  decisionLimits,
  decisionQuestion,
  inputItemSchema,
  isMessage,
} from "./request-schema.js";

export interface DecisionTurn extends DialectTurn {
  readonly asked: readonly AskedQuestion[];
}

/** @throws CodexNativeApiError `invalid_request`, `unsupported_decisions_feature`, `invalid_json`; `param` is the path of the field. */
export async function decodeDecision(
  body: JsonBody,
  { pace, unsupportedParameters }: Decoding,
): Promise<DecisionTurn> {
  const head = parseBody(decisionHead, body.value, unsupportedFeature);
  refuseOthers(head);
  const reading = new DecisionReading();
  await readElements(body, "questions", pace, reading.questions);
  if (typeof head.input === "string") reading.takeText(head.input);
  else await readElements(body, "input", pace, reading.input);
  await pace.breathe();
  return toDecisionTurn(head, reading, unsupportedParameters);
}

/** The same of a body that a host composed. Works on without a pause. */
export function parseDecision(body: unknown): DecisionTurn {
  const head = parseBody(decisionHead, body, unsupportedFeature);
  refuseOthers(head);
  const reading = new DecisionReading();
  readList(head.questions, reading.questions);
  if (typeof head.input === "string") reading.takeText(head.input);
  else readList(head.input, reading.input);
  return toDecisionTurn(head, reading, "ignore");
}

function refuseOthers(head: DecisionHead): void {
  refuseParameters(head, parameters, unsupported);
  if (head.stream === true) throw unsupported("stream", "decisions are not streamed");
}

function toDecisionTurn(
  head: DecisionHead,
  reading: DecisionReading,
  policy: Decoding["unsupportedParameters"],
): DecisionTurn {
  const ignoredParameters = [...listIgnoredParameters(head), ...reading.ignored];
  rejectIgnored(ignoredParameters, policy, unsupported);
  const { asked } = reading;
  const settings = toSettings(head);
  return {
    request: {
      ...settings,
      instructions: decisionInstructions,
      items: reading.finish(),
      outputSchema: buildOutputSchema(asked),
    },
    asked,
    obligations: [],
    ignoredParameters,
    metadata: head.metadata ?? null,
    taskClass: settings.taskClass ?? null,
    bridgeTask: readBridgeTask({}, "none"),
    stream: false,
    store: false,
    background: false,
    previousResponseId: null,
    isPaired: true,
    offerWith: null,
  };
}

/** Checks the questions, then the input, and writes the prompt as it goes. */
class DecisionReading {
  readonly asked: AskedQuestion[] = [];
  readonly #prompt = new DecisionPrompt();
  readonly #pairs = new CallPairs();
  readonly #ignored = new Set<string>();
  #images = 0;
  #items = 0;

  get ignored(): readonly string[] {
    return [...this.#ignored];
  }

  /** The elements of `questions`. */
  get questions(): ListReader<void> {
    return {
      take: (value, index) => this.#takeQuestion(value, index),
      finish: () => {
        if (this.asked.length === 0) throw fieldError("questions", "must not be empty");
        this.#prompt.endQuestions();
      },
    };
  }

  /** The elements of `input`. */
  get input(): ListReader<void> {
    return {
      take: (value, index) => this.#takeItem(value, index),
      finish: () => {
        if (this.#items === 0) throw fieldError("input", "must not be empty");
      },
    };
  }

  takeText(text: string): void {
    this.#prompt.addInput(text);
  }

  finish(): ItemList {
    return this.#prompt.finish();
  }

  #takeQuestion(value: unknown, index: number): void {
    const { maxQuestions } = decisionLimits;
    if (index >= maxQuestions) throw fieldError("questions", `holds more than ${maxQuestions} elements`);
    // Whole: its lists have bounds.
    const parsed = decisionQuestion.safeParse(value, requestParsing);
    if (!parsed.success) {
      throw toRequestError(parsed.error, unsupportedFeature, { path: ["questions", index] });
    }
    const { instructions } = parsed.data;
    this.#noteParts(instructions, `questions[${index}].instructions`);
    this.#prompt.addQuestion(parsed.data, index);
    this.asked.push(toAsked(parsed.data));
  }

  #takeItem(value: unknown, index: number): void {
    const schema = inputItemSchema(value);
    const item = checkElement(value, index, { schema, field: "input", unsupported: unsupportedFeature });
    // A call may lack its output: what is asked may be whether it should be made.
    if (isMessage(item)) this.#noteParts(item.content, `input[${index}].content`);
    else {
      takeStep(this.#pairs, item, index);
      this.#noteParts(item.output, `input[${index}].output`);
    }
    this.#prompt.addItem(item);
    this.#items += 1;
  }

  /** Counts images, and names what a part asks for and gets not, without its place: there may be thousands. */
  #noteParts(parts: unknown, param: string): void {
    if (!Array.isArray(parts)) return;
    const list = param.replace(/\[\d+\]/, "[]");
    for (const [at, part] of parts.entries()) {
      if (!isJsonObject(part)) continue;
      if (isGiven(part.prompt_cache_breakpoint)) this.#ignored.add(`${list}[].prompt_cache_breakpoint`);
      if (part.type !== "input_image") continue;
      this.#images += 1;
      const { maxImages } = decisionLimits;
      if (this.#images > maxImages) {
        throw fieldError(`${param}[${at}]`, `is one image too many: a request has at most ${maxImages}`);
      }
      // Codex lets the model see every image in its original size.
      if (part.detail === "low" || part.detail === "high") this.#ignored.add(`${list}[].detail`);
    }
  }
}

function toAsked(question: CheckedQuestion): AskedQuestion {
  const name = question.name ?? null;
  switch (question.type) {
    case "predicate":
      return { type: "predicate", name, count: 0 };
    case "choice": {
      const values = question.choices.map(({ value }) => value);
      return { type: "choice", name, count: values.length, values };
    }
    case "score": {
      const labels = question.levels.map(({ label }) => label);
      return { type: "score", name, count: labels.length, labels };
    }
  }
}
