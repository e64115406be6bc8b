/** The routes of the whole service, without a service. */
import type { FastifyInstance } from "fastify";
import { fastify } from "fastify";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import { dialects } from "../../src/main/dialects/table.js";
import { Exchanges } from "../../src/main/exchange/exchanges.js";
import { addRoutes } from "../../src/main/http/build-app.js";
import { CallerTurns, InFlight } from "../../src/main/http/in-flight.js";
import type { DescribedRoute } from "../../src/main/http/method-routes.js";
import { PageCodes } from "../../src/main/http/page-codes.js";
import { InMemoryCodexNativeApiRequestStore } from "../../src/main/observability/requests/in-memory-request-store.js";
import { RequestLog } from "../../src/main/observability/requests/request-log.js";
import { LoopShare } from "../../src/workers/contract/pace.js";
import { FakeRuntime } from "./fake-runtime.js";
import { createQuietFeed } from "./quiet-feed.js";

/** Adds them to an app, which need not run. */
export function registerRoutes(app: FastifyInstance): readonly DescribedRoute[] {
  const runtime = new FakeRuntime();
  const registry = new InMemoryCodexNativeApiContinuationRegistry();
  const wallClock = () => 0;
  return addRoutes(app, {
    options: {
      metrics: { observeRequest: () => {}, render: async () => ({ contentType: "text/plain", text: "" }) },
    },
    dialects,
    inFlight: new InFlight(),
    webSockets: { accept: () => {} },
    context: {
      runtime,
      registry,
      exchanges: new Exchanges({
        runtime,
        registry,
        loopShare: new LoopShare(),
        wallClock,
        clock: () => 0,
        newId: (prefix) => prefix,
      }),
      requestLog: new RequestLog(new InMemoryCodexNativeApiRequestStore()),
      requestContent: () => false,
      callerTurns: new CallerTurns(),
      loopShare: new LoopShare(),
      unsupportedParameters: "ignore",
      keepAliveCommentMs: 1000,
      metadataLevel: () => "silent",
      streamHeadHoldMs: 1000,
      limits: {},
      version: "0.0.0-test",
      localhostOnly: true,
      openWebSockets: () => 0,
      eventFeed: createQuietFeed(),
      pageCodes: new PageCodes(() => 0),
      readPage: async () => null,
      logger: undefined,
      clock: () => 0,
      wallClock,
    },
  });
}

export const routes = registerRoutes(fastify());
