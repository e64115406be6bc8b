import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { describeNativeApi } from "../../dialects/answers/native-api.js";
import { toRequestError } from "../../dialects/requests/schema-fault.js";
import { responsesErrors as errors } from "../../dialects/responses/errors.js";
import { CodexNativeApiError } from "../../errors.js";
import { followLog, openSseWriter } from "../event-stream.js";
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
  const { exchanges, runtime } = context;
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
      if (!query.stream) return exchanges.read(id, ownerOf(request));
      return attach(request, reply, { context, inFlight, id, startingAfter: query.starting_after ?? -1 });
    },
    DELETE: async (request) => {
      const id = readResponseId(request);
      await exchanges.delete(id, ownerOf(request));
      return { id, object: "response", deleted: true, native_api: describe(id) };
    },
  });
  addRoute(app, `${routePath}/cancel`, {
    POST: async (request) => exchanges.cancel(readResponseId(request), ownerOf(request)),
  });
  addRoute(app, `${routePath}/input_items`, {
    GET: async (request) => {
      const { limit, order, after } = parse(itemsQuery, request.query);
      const id = readResponseId(request);
      const query = { limit, order, after: after ?? null };
      const page = await exchanges.listInputItems(id, ownerOf(request), query);
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
  addRoute(app, "/v1/responses/compact", {
    POST: () => {
      throw new CodexNativeApiError("not_implemented", "Compaction is not implemented.");
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
  const client = inFlight.openTurn(reply.raw, owner);
  const { signal } = client;
  try {
    const firstNumber = startingAfter + 1;
    const log = await context.exchanges.attach(id, owner, firstNumber);
    const writer = openSseWriter(reply, context);
    const fault = await followLog({ log, errors, firstNumber, signal }, writer, client);
    const record = recordOf(request);
    record.outcome = fault === null ? "completed" : "failed";
    record.errorCode = fault?.code ?? null;
    await writer.end();
  } finally {
    client.close();
  }
}
