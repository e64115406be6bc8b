/** The request log and the usage. A token reads its own; the one without settings of its own, and a service without tokens, read all. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { defaultTokenName } from "../../config/named-token.js";
import { json, schemaRef } from "../../dialects/operation.js";
import { fieldError, requestParsing, toRequestError } from "../../dialects/requests/schema-fault.js";
import { CodexNativeApiError } from "../../errors.js";
import type { RequestViewer } from "../../observability/requests/types.js";
import { addRoute, type Endpoint } from "../method-routes.js";
import { noSuchRoute } from "../missing-routes.js";
import { recordOf } from "../request-record.js";
import { renderCsv } from "../requests/csv.js";
import { describeRequest, describeUsage } from "../requests/describe-request.js";
import type { RequestEntry, RequestList, Usage } from "../requests/wire-requests.js";
import type { RouteContext } from "../server-options.js";

const tag = {
  name: "Requests",
  description: "What was asked of this service, and what it took. A token sees its own requests.",
};

const path = z.object({ id: z.string().describe("Id of the request: its `x-request-id`.") });

const filter = z.string().min(1).max(256).optional();

const listQuery = z.looseObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100).describe("Requests of a page."),
  after: filter.describe("Id of the last request of the page before."),
  route: filter.describe("Such as `/v1/responses`."),
  model: filter.describe("The model that ran, or its name in the request."),
  outcome: z
    .enum(["completed", "incomplete", "calls", "cancelled", "failed", "client_left"])
    .optional()
    .describe("How it ended."),
  code: filter.describe("Of the error."),
  caller: filter.describe("Name of the token."),
});

const usageQuery = z.looseObject({
  format: z.enum(["json", "csv"]).default("json").describe("`csv`: a file, without what JSON has around it."),
});

export function addRequestRoutes(app: FastifyInstance, { requestLog }: RouteContext): void {
  // They are asked so often that they are no entries themselves.
  const config = { quiet: true };
  const list: Endpoint = {
    id: "listRequests",
    tag,
    summary: "The last requests, newest first",
    description:
      "Those that asked for a turn, and others that failed. No prompts, metadata, header values or texts of errors unless the configuration has `requests.content`.",
    query: listQuery,
    answers: { 200: json("RequestList", "A page of requests.") },
    errors: ["request_log_unavailable"],
    handler: async (request) => {
      const { limit, after = null, outcome = null, ...filters } = parse(listQuery, request.query);
      const { route = null, model = null, code = null, caller = null } = filters;
      const viewer = viewerOf(request);
      const query = { viewer, limit, after, route, model, outcome, code, caller };
      const page = await requestLog.list(query);
      if (page === null) throw fieldError("after", "there is no such request to start after");
      const data = page.entries.map(describeRequest);
      const answer: RequestList = {
        object: "list",
        data,
        first_id: data[0]?.id ?? null,
        last_id: data.at(-1)?.id ?? null,
        has_more: page.hasMore,
      };
      return answer;
    },
  };
  addRoute(app, "/v1/requests", { GET: list }, config);

  const read: Endpoint = {
    id: "getRequest",
    tag,
    summary: "One request",
    path,
    answers: { 200: json("RequestEntry", "The request.") },
    errors: ["request_not_found", "request_log_unavailable"],
    handler: async (request): Promise<RequestEntry> => {
      const { id } = path.parse(request.params);
      // `/v1/requests/` is no route: the router takes the empty text after the slash for an id.
      if (id === "") throw noSuchRoute(request.url);
      const entry = await requestLog.get(id, viewerOf(request));
      if (entry !== null) return describeRequest(entry);
      const message = `The request log has no request '${id.slice(0, 64)}'.`;
      throw new CodexNativeApiError("request_not_found", message, { param: "id" });
    },
  };
  addRoute(app, "/v1/requests/:id", { GET: read }, config);

  const usage: Endpoint = {
    id: "getUsage",
    tag,
    summary: "Requests and tokens since the start, by token, model, route, task class and hour",
    query: usageQuery,
    answers: {
      200: {
        description: "The usage.",
        content: { "application/json": schemaRef("Usage"), "text/csv": { type: "string" } },
      },
    },
    errors: ["request_log_unavailable"],
    handler: async (request, reply) => {
      const { format } = parse(usageQuery, request.query);
      const report = describeUsage(await requestLog.usage(viewerOf(request)));
      if (format === "json") return report;
      return reply
        .header("content-disposition", 'attachment; filename="codex-native-api-usage.csv"')
        .type("text/csv; charset=utf-8")
        .send(renderUsage(report));
    },
  };
  addRoute(app, "/v1/usage", { GET: usage }, config);
}

const usageColumns = [
  "caller",
  "model",
  "route",
  "task_class",
  "hour_ms",
  "requests",
  "failed",
  "input_tokens",
  "cached_input_tokens",
  "output_tokens",
  "reasoning_output_tokens",
] as const;

function renderUsage({ data }: Usage): string {
  return renderCsv(
    usageColumns,
    data.map((row) => usageColumns.map((column) => row[column])),
  );
}

export function viewerOf(request: FastifyRequest): RequestViewer {
  const { token } = recordOf(request);
  return token === null || token.name === defaultTokenName ? null : token.name;
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value, requestParsing);
  if (!parsed.success) throw toRequestError(parsed.error, "invalid_request");
  return parsed.data;
}
