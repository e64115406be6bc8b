import {
  bodyErrors,
  describeErrorAnswers,
  type ErrorCodes,
  guardErrors,
  requestIdHeader,
  tokenErrors,
} from "../error-answers.js";
import {
  type Answer,
  type MediaType,
  type Operation,
  type Parameter,
  type Reference,
  schemaRef,
} from "../types.js";

interface OperationPlan {
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Answered without a token. Default: no. */
  readonly isPublic?: boolean;
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly body?: MediaType;
  readonly answers: Readonly<Record<string, Pick<Answer, "description" | "content">>>;
  /** Beside those that every operation has. */
  readonly errors?: ErrorCodes;
}

/** Headers of requests that run a turn. */
export const turnHeaders: readonly Reference[] = ["Timeout", "Priority", "KeepAlive"].map((name) => ({
  $ref: `#/components/parameters/${name}`,
}));

export function describeOperation(plan: OperationPlan): Operation {
  const errors = [
    ...guardErrors,
    ...(plan.isPublic === true ? [] : tokenErrors),
    ...(plan.body === undefined ? [] : bodyErrors),
    ...(plan.errors ?? []),
  ];
  const told = Object.entries(plan.answers).map(([status, answer]) => [
    status,
    { description: answer.description, headers: requestIdHeader, content: answer.content ?? {} },
  ]);
  return {
    operationId: plan.id,
    summary: plan.summary,
    ...(plan.description !== undefined && { description: plan.description }),
    tags: [plan.tag],
    ...(plan.isPublic === true && { security: [] }),
    parameters: [{ $ref: "#/components/parameters/RequestId" }, ...(plan.parameters ?? [])],
    ...(plan.body !== undefined && {
      requestBody: { required: true, content: { "application/json": plan.body } },
    }),
    responses: mergeAnswers(describeErrorAnswers(errors), Object.fromEntries(told)),
  };
}

/** A status can be an error's and an answer's own: health and readiness say 503 in their own shape. */
function mergeAnswers(
  errors: Readonly<Record<string, Answer>>,
  own: Readonly<Record<string, Answer>>,
): Readonly<Record<string, Answer>> {
  const merged: Record<string, Answer> = { ...errors };
  for (const [status, answer] of Object.entries(own)) {
    const error = errors[status];
    merged[status] = error === undefined ? answer : joinAnswers(answer, error);
  }
  return merged;
}

function joinAnswers(own: Answer, error: Answer): Answer {
  const content = { ...error.content };
  for (const [type, { schema }] of Object.entries(own.content ?? {})) {
    const other = error.content?.[type];
    content[type] =
      other === undefined ? { schema } : { ...other, schema: { anyOf: [schema, other.schema] } };
  }
  return {
    description: `${own.description}\n\n${error.description}`,
    headers: { ...error.headers, ...own.headers },
    content,
  };
}

export function jsonAnswer(name: string): Readonly<Record<string, MediaType>> {
  return { "application/json": { schema: schemaRef(name) } };
}

export function textAnswer(example: string): Readonly<Record<string, MediaType>> {
  return {
    "text/plain": { schema: { type: "string" }, examples: { word: { summary: "A word", value: example } } },
  };
}
