/** `GET /v1/events`: a stream of what happens in the service, for its page and for monitors. */
import type { FastifyInstance } from "fastify";
import { createDeferred } from "../../../workers/contract/wait.js";
import { schemaRef } from "../../dialects/operation.js";
import { SseWriter } from "../event-stream.js";
import type { InFlight } from "../in-flight.js";
import { addRoute } from "../method-routes.js";
import { recordOf } from "../request-record.js";
import type { RouteContext } from "../server-options.js";
import { stateTag } from "./state.js";

const contentType = "text/event-stream; charset=utf-8";

const description = `Server-sent events, each with its name and an increasing \`id\`. The stream begins with the state of now:
\`state\` (\`StateEvent\`), \`request.started\`, \`request.updated\` and \`request.ended\` (\`RequestEntry\`), and \`events.dropped\` (\`EventsDropped\`) where
this reader was too slow. A named token sees its own requests. There is no replay: \`Last-Event-ID\` is ignored. At most 16 readers
at the same time.`;

export function addEventsRoute(app: FastifyInstance, context: RouteContext, inFlight: InFlight): void {
  const { eventFeed } = context;
  addRoute(
    app,
    "/v1/events",
    {
      GET: {
        id: "followEvents",
        tag: stateTag,
        summary: "What happens in the service, as it happens",
        description,
        answers: {
          200: {
            description: "A stream that ends with the service, or when the token is withdrawn.",
            content: {
              "text/event-stream": { anyOf: ["StateEvent", "RequestEntry", "EventsDropped"].map(schemaRef) },
            },
          },
        },
        errors: ["event_readers_exceeded"],
        handler: async (request, reply) => {
          // A stream without a body would never end.
          if (request.method === "HEAD") return reply.type(contentType).send();
          eventFeed.requireRoom();
          const { headers, raw } = request;
          const { token } = recordOf(request);
          const caller = inFlight.openTurn(reply.raw, token?.name ?? null);
          const left = createDeferred<void>();
          caller.signal.addEventListener("abort", () => left.resolve(), { once: true });
          const writer = new SseWriter(reply, context);
          // Node sends a head with the first byte of the body.
          reply.raw.flushHeaders();
          const remove = eventFeed.add({
            writer: { write: (text) => writer.write(text), end: () => writer.end().then(left.resolve) },
            tokenName: token?.name ?? null,
            headers,
            localAddress: raw.socket.localAddress,
          });
          if (caller.signal.aborted) left.resolve();
          await left.promise;
          remove();
          await writer.end();
          caller.close();
          return undefined;
        },
      },
    },
    { quiet: true },
  );
}
