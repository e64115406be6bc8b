import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { endMarker } from "../../dialects/dialect.js";
import { json } from "../../dialects/operation.js";
import { requestParsing, toRequestError } from "../../dialects/requests/schema-fault.js";
import { responsesErrors as errors } from "../../dialects/responses/errors.js";
import { responseOrEvents, tag } from "../../dialects/responses/operation.js";
import type { DeletedResponse, InputItemPage } from "../../dialects/responses/wire-response.js";
import { CodexNativeApiError } from "../../errors.js";
import { followLog, SseWriter } from "../event-stream.js";
import { describeNoTurn } from "../health-report.js";
import type { InFlight } from "../in-flight.js";
import { addRoute } from "../method-routes.js";
import { noSuchRoute } from "../missing-routes.js";
import { recordOf } from "../request-record.js";
import type { RouteContext } from "../server-options.js";

const routePath = "/v1/responses/:response_id";

const path = z.object({ response_id: z.string().describe("Id of a stored response.") });

/** Every value of a query is a text: `true` and a number are the forms that OpenAI's clients send. */
const readQuery = z.looseObject({
  stream: z.stringbool().default(false).describe("True attaches to the stream of a background response."),
  starting_after: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe("With `stream`: the number of the last event already seen."),
});

const itemsQuery = z.looseObject({
  limit: z.coerce.number().int().min(1).max(100).default(20).describe("Items of a page."),
  order: z.enum(["asc", "desc"]).default("desc").describe("By place in the input."),
  after: z.string().min(1).optional().describe("Id of the last item of the page before."),
});

export function addStoredResponseRoutes(
  app: FastifyInstance,
  context: RouteContext,
  inFlight: InFlight,
): void {
  const { exchanges, runtime } = context;
  const describe = (responseId: string) =>
    describeNoTurn(runtime.health(), "/v1/responses/{response_id}", responseId);
  addRoute(app, routePath, {
    GET: {
      id: "getResponse",
      tag,
      summary: "A stored response, or the events of a background one",
      path,
      query: readQuery,
      answers: { 200: responseOrEvents("stream=true") },
      errors: ["response_not_found", "continuation_expired"],
      handler: async (request, reply) => {
        const id = readResponseId(request);
        const query = parse(readQuery, request.query);
        if (!query.stream) return exchanges.read(id, ownerOf(request));
        return attach(request, reply, {
          context,
          inFlight,
          id,
          firstNumber: (query.starting_after ?? -1) + 1,
        });
      },
    },
    DELETE: {
      id: "deleteResponse",
      tag,
      summary: "Deletes a stored response",
      path,
      answers: { 200: json("DeletedResponse", "The response is deleted.") },
      errors: ["response_not_found"],
      handler: async (request) => {
        const id = readResponseId(request);
        await exchanges.delete(id, ownerOf(request));
        const deleted: DeletedResponse = { id, object: "response", deleted: true, native_api: describe(id) };
        return deleted;
      },
    },
  });
  addRoute(app, `${routePath}/cancel`, {
    POST: {
      id: "cancelResponse",
      tag,
      summary: "Cancels a background response",
      path,
      answers: { 200: json("Response", "The response, which has ended.") },
      errors: ["response_not_found"],
      handler: async (request) => exchanges.cancel(readResponseId(request), ownerOf(request)),
    },
  });
  addRoute(app, `${routePath}/input_items`, {
    GET: {
      id: "listInputItems",
      tag,
      summary: "The input items of a response",
      path,
      query: itemsQuery,
      answers: { 200: json("InputItemPage", "A page of items.") },
      errors: ["response_not_found"],
      handler: async (request) => {
        const { limit, order, after = null } = parse(itemsQuery, request.query);
        const id = readResponseId(request);
        const page = await exchanges.listInputItems(id, ownerOf(request), { limit, order, after });
        const answer: InputItemPage = {
          object: "list",
          data: page.items,
          first_id: page.items[0]?.id ?? null,
          last_id: page.items.at(-1)?.id ?? null,
          has_more: page.hasMore,
          native_api: describe(id),
        };
        return answer;
      },
    },
  });
  addRoute(app, "/v1/responses/compact", {
    POST: {
      id: "compactResponse",
      tag,
      summary: "Not implemented",
      answers: {},
      errors: ["not_implemented"],
      handler: () => {
        throw new CodexNativeApiError("not_implemented", "Compaction is not implemented.");
      },
    },
  });
}

function ownerOf(request: FastifyRequest): string | null {
  return recordOf(request).token?.name ?? null;
}

function readResponseId(request: FastifyRequest): string {
  const { response_id: id } = parse(path, request.params);
  // `/v1/responses/` is no route: the router takes the empty text after the slash for an id.
  if (id === "") throw noSuchRoute(request.url);
  recordOf(request).responseId = id;
  return id;
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value, requestParsing);
  if (!parsed.success) throw toRequestError(parsed.error, "unsupported_responses_feature");
  return parsed.data;
}

interface Attachment {
  readonly context: RouteContext;
  readonly inFlight: InFlight;
  readonly id: string;
  readonly firstNumber: number;
}

/** Follows the events of a background response. A caller who leaves ends its own stream only. */
async function attach(
  request: FastifyRequest,
  reply: FastifyReply,
  { context, inFlight, id, firstNumber }: Attachment,
): Promise<void> {
  const owner = ownerOf(request);
  const caller = inFlight.openTurn(reply.raw, owner);
  try {
    const log = await context.exchanges.attach(id, owner, firstNumber);
    const writer = new SseWriter(reply, context);
    const reading = { log, errors, firstNumber, signal: caller.signal };
    const fault = await followLog(reading, writer, caller);
    const record = recordOf(request);
    record.outcome = fault === null ? "completed" : "failed";
    if (fault !== null) record.fail(fault);
    if (fault === null && context.streamDone !== false) void writer.write(endMarker);
    await writer.end();
  } finally {
    caller.close();
  }
}
