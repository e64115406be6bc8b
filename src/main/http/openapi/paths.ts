/** The paths of the document, from what the routes say of themselves, which leaves out what all operations have. */
import { z } from "zod";
import type { Operation, OperationAnswer, Schema } from "../../dialects/operation.js";
import type { DescribedRoute } from "../method-routes.js";
import {
  type Answer,
  bodyErrors,
  describeErrorAnswers,
  guardErrors,
  type MediaType,
  type Reference,
  requestIdHeader,
  tokenErrors,
  turnErrors,
} from "./error-answers.js";

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly description: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

export type DescribedOperation = ReturnType<typeof describeOperation>;
export type PathItem = Readonly<Partial<Record<"get" | "post" | "delete", DescribedOperation>>>;

export function describePaths(routes: readonly DescribedRoute[]): Readonly<Record<string, PathItem>> {
  const paths: Record<string, PathItem> = {};
  for (const route of routes) {
    const path = route.url.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeOperation(route) };
  }
  return paths;
}

function describeOperation({ operation, method, isPublic }: DescribedRoute) {
  const { body, runsTurn = false } = operation;
  const errors = describeErrorAnswers([
    ...guardErrors,
    ...(isPublic ? [] : tokenErrors),
    ...(method === "POST" ? bodyErrors : []),
    ...(runsTurn ? turnErrors : []),
    ...(operation.errors ?? []),
  ]);
  const own = Object.entries(operation.answers).map(
    ([status, answer]) => [status, joinAnswers(answer, errors[status])] as const,
  );
  return {
    operationId: operation.id,
    summary: operation.summary,
    ...(operation.description !== undefined && { description: operation.description }),
    tags: [operation.tag.name],
    ...(isPublic && { security: [] }),
    parameters: ["RequestId", ...(runsTurn ? turnHeaders : [])]
      .map((name): Parameter | Reference => ({ $ref: `#/components/parameters/${name}` }))
      .concat(describeParameters(operation)),
    ...(body !== undefined && { requestBody: { required: true, content: { "application/json": body } } }),
    responses: Object.fromEntries<Answer>([...Object.entries(errors), ...own]),
  };
}

const turnHeaders = ["Timeout", "Priority", "KeepAlive"];

function describeParameters({ path, query }: Operation): readonly Parameter[] {
  return [
    ...fieldsOf(path).map(([name, field]) => ({ name, in: "path" as const, required: true, ...field })),
    ...fieldsOf(query).map(([name, field]) => ({ name, in: "query" as const, ...field })),
  ];
}

function fieldsOf(parameters: z.ZodObject | undefined) {
  if (parameters === undefined) return [];
  // Paths and queries hold texts; callers care about what they are read as.
  const { properties = {} } = z.toJSONSchema(parameters, { io: "output" });
  return Object.entries(properties).map(([name, property]) => {
    const { description = "", ...schema } = typeof property === "object" ? property : {};
    return [name, { description, schema: { ...schema } }] as const;
  });
}

/** Health and readiness have a 503 in their own shape, beside the one of an error. */
function joinAnswers(own: OperationAnswer, error: Answer | undefined): Answer {
  const content: Record<string, MediaType> = { ...error?.content };
  for (const [type, schema] of Object.entries(own.content)) {
    const other = content[type];
    content[type] = other ? { ...other, schema: { anyOf: [schema, other.schema] } } : { schema };
  }
  return {
    description: error === undefined ? own.description : `${own.description}\n\n${error.description}`,
    headers: { ...error?.headers, ...requestIdHeader },
    content,
  };
}
