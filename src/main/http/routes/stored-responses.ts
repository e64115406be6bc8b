import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { describeNativeApi } from "../../dialects/answers/native-api.js";
import { toRequestError } from "../../dialects/requests/schema-fault.js";
import { CodexNativeApiError } from "../../errors.js";
import { openSseWriter } from "../answer-stream.js";
import { followLog } from "../follow-log.js";
import { identityOf } from "../identity.js";
import type { InFlight } from "../in-flight.js";
import { addRoute } from "../method-routes.js";
import { recordOf } from "../request-record.js";
import type { RouteContext } from "../server-options.js";
import { itemsQuery, readQuery } from "../stored-response-queries.js";

const routePath = "/v1/responses/:response_id";

const path = z.object({ response_id: z.string() });

export function addStoredResponseRoutes(
  app: FastifyInstance,
  context: RouteContext,
  inFlight: InFlight,
): void {
  const { responses, runtime } = context;
  const describe = (responseId: string) =>
    describeNativeApi({
      routePath: "/v1/responses/{response_id}",
      target: identityOf(runtime.health()),
      responseId,
    });
  addRoute(app, routePath, {
    GET: async (request, reply) => {
      const id = readResponseId(request);
      const query = parse(readQuery, request.query);
      if (!query.stream) return responses.read(id, ownerOf(request));
      return attach(request, reply, { context, inFlight, id, startingAfter: query.starting_after ?? -1 });
    },
    DELETE: async (request) => {
      const id = readResponseId(request);
      await responses.delete(id, ownerOf(request));
      return { id, object: "response", deleted: true, native_api: describe(id) };
    },
  });
  addRoute(app, `${routePath}/cancel`, {
    POST: async (request) => responses.cancel(readResponseId(request), ownerOf(request)),
  });
  addRoute(app, `${routePath}/input_items`, {
    GET: async (request) => {
      const { limit, order, after } = parse(itemsQuery, request.query);
      const id = readResponseId(request);
      const query = { limit, order, after: after ?? null };
      const page = await responses.listInputItems(id, ownerOf(request), query);
      return {
        object: "list",
        data: page.items,
        first_id: page.items[0]?.id ?? null,
        last_id: page.items.at(-1)?.id ?? null,
        has_more: page.hasMore,
        native_api: describe(id),
      };
    },
  });
}

function ownerOf(request: FastifyRequest): string | null {
  return recordOf(request).token?.name ?? null;
}

function readResponseId(request: FastifyRequest): string {
  const { response_id: id } = parse(path, request.params);
  // `/v1/responses/` is no route: the router takes the empty text behind the slash for an id.
  if (id === "") throw new CodexNativeApiError("route_not_found", "There is no such route.");
  recordOf(request).responseId = id;
  return id;
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw toRequestError(parsed.error, "unsupported_responses_feature");
  return parsed.data;
}

interface Attachment {
  readonly context: RouteContext;
  readonly inFlight: InFlight;
  readonly id: string;
  readonly startingAfter: number;
}

/** Follows a stream that began elsewhere. Whoever leaves ends only their own following. */
async function attach(request: FastifyRequest, reply: FastifyReply, attachment: Attachment): Promise<void> {
  const { context, inFlight, id, startingAfter } = attachment;
  const owner = ownerOf(request);
  const exchange = inFlight.openTurn(reply.raw, owner);
  try {
    const firstNumber = startingAfter + 1;
    const log = await context.responses.attach(id, owner, firstNumber);
    const writer = openSseWriter(reply, context);
    const fault = await followLog({ log, firstNumber, signal: exchange.signal }, writer, exchange);
    const record = recordOf(request);
    record.outcome = fault === null ? "completed" : "failed";
    record.errorCode = fault?.code ?? null;
    await writer.end();
  } finally {
    exchange.close();
  }
}
