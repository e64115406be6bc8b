/** The two ways to ask a question over HTTP that are held against each other. */
import { type Dispatcher, request } from "undici";
import { z } from "zod";
import { type LabelledCase, labelsOf, type Question } from "./labelled-set.js";

/** Where the service listens, and how to ask it. */
export interface AskedService {
  readonly url: string;
  readonly token: string | null;
  /** Of decisions. */
  readonly model: string;
  /** Of plain responses: what `model` stands for, so that the same model answers both. */
  readonly plainModel: string;
  /** Of plain responses; decisions have the service's own. */
  readonly effort: string;
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
}

/** What came of one question. */
export interface Reply {
  /** Of every answer; null where the model declined. */
  readonly probabilities: ReadonlyMap<string, number> | null;
  readonly model: string;
  readonly outputTokens: number;
}

export interface Way {
  readonly name: string;
  /** Throws where the request fails. */
  ask(service: AskedService, asked: LabelledCase): Promise<Reply>;
}

const usage = z.object({ output_tokens: z.number() });

const decision = z.object({
  model: z.string(),
  answers: z.tuple([
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("predicate"), probability: z.number() }),
      z.object({
        type: z.literal("choice"),
        probabilities: z.array(z.object({ value: z.string(), probability: z.number() })),
      }),
      z.object({
        type: z.literal("score"),
        probabilities: z.array(z.object({ label: z.string(), probability: z.number() })),
      }),
      z.object({ type: z.literal("refusal") }),
    ]),
  ]),
  usage,
});

export const decisions: Way = {
  name: "decisions",
  async ask(service, { question, input }) {
    const body = { model: service.model, input, questions: [question] };
    const answered = decision.parse(await post(service, "/v1/decisions", body));
    return {
      probabilities: readProbabilities(answered.answers[0]),
      model: answered.model,
      outputTokens: answered.usage.output_tokens,
    };
  },
};

type Answer = z.infer<typeof decision>["answers"][0];

function readProbabilities(answer: Answer): Reply["probabilities"] {
  switch (answer.type) {
    case "predicate":
      return new Map([
        ["false", 1 - answer.probability],
        ["true", answer.probability],
      ]);
    case "choice":
      return new Map(answer.probabilities.map(({ value, probability }) => [value, probability]));
    case "score":
      return new Map(answer.probabilities.map(({ label, probability }) => [label, probability]));
    case "refusal":
      return null;
  }
}

const response = z.object({
  model: z.string(),
  output: z.array(
    z.object({
      type: z.string(),
      content: z.array(z.object({ type: z.string(), text: z.string().optional() })).optional(),
    }),
  ),
  usage,
});

const stated = z.object({ answer: z.string(), probability: z.number().min(0).max(1) });

/** As one would ask without decisions: the answer from a list, and how sure the model is of it. */
const plainSchema: Way = {
  name: "responses",
  async ask(service, { question, input }) {
    const labels = labelsOf(question);
    const schema = {
      type: "object",
      properties: {
        answer: { type: "string", enum: labels },
        probability: {
          type: "number",
          minimum: 0,
          maximum: 1,
          description: "Probability that the answer is right.",
        },
      },
      required: ["answer", "probability"],
      additionalProperties: false,
    };
    const body = {
      model: service.plainModel,
      reasoning: { effort: service.effort },
      instructions: describeQuestion(question),
      input,
      store: false,
      text: { format: { type: "json_schema", name: question.name, strict: true, schema } },
    };
    const answered = response.parse(await post(service, "/v1/responses", body));
    const text = answered.output
      .flatMap(({ type, content = [] }) => (type === "message" ? content : []))
      .map((part) => part.text ?? "")
      .join("");
    return {
      probabilities: text === "" ? null : spreadRest(stated.parse(JSON.parse(text)), labels),
      model: answered.model,
      outputTokens: answered.usage.output_tokens,
    };
  },
};

/** What is not stated of one answer is spread evenly over the others. */
function spreadRest({ answer, probability }: z.infer<typeof stated>, labels: readonly string[]) {
  const rest = (1 - probability) / (labels.length - 1);
  return new Map(labels.map((label) => [label, label === answer ? probability : rest]));
}

function describeQuestion(question: Question): string {
  if (question.type === "predicate")
    return `Is this statement about the input true? ${question.instructions}`;
  const answers =
    question.type === "choice"
      ? question.choices.map(({ value, description }) => `- ${value}: ${description}`)
      : question.levels.map(({ label, description }) => `- ${label}: ${description}`);
  return [question.instructions, ...answers].join("\n");
}

export const ways: readonly Way[] = [decisions, plainSchema];

async function post(service: AskedService, path: string, body: object): Promise<unknown> {
  const { url, token, dispatcher, signal } = service;
  const { statusCode, body: answer } = await request(`${url}${path}`, {
    method: "POST",
    dispatcher,
    signal,
    headers: {
      "content-type": "application/json",
      ...(token !== null && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (statusCode !== 200) throw new Error(`HTTP ${statusCode} of ${path}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}
