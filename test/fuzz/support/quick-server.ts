/** A listener whose runtime answers at once and remembers nothing, so that what grows is the listener's. */

import type { FastifyInstance } from "fastify";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../../src/main/continuation/in-memory-registry.js";
import { dialects } from "../../../src/main/dialects/table.js";
import { Exchanges } from "../../../src/main/exchange/exchanges.js";
import { AccessPolicy } from "../../../src/main/http/access-policy.js";
import { BodyLimits } from "../../../src/main/http/body/incoming-body.js";
import { buildApp } from "../../../src/main/http/build-app.js";
import { CallerTurns, InFlight } from "../../../src/main/http/in-flight.js";
import { PageCodes } from "../../../src/main/http/page-codes.js";
import { createId } from "../../../src/main/http/request-id.js";
import {
  bodyBoundsOf,
  type CodexNativeApiServerOptions,
  type RouteContext,
} from "../../../src/main/http/server-options.js";
import { WebSockets } from "../../../src/main/http/web-socket/web-sockets.js";
import { createSilentLogger } from "../../../src/main/observability/logger.js";
import { InMemoryCodexNativeApiRequestStore } from "../../../src/main/observability/requests/in-memory-request-store.js";
import { RequestLog } from "../../../src/main/observability/requests/request-log.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
} from "../../../src/main/runtime/types.js";
import { LoopShare } from "../../../src/workers/contract/pace.js";
import { answerHello, FakeRuntime, FakeTurn } from "../../support/fake-runtime.js";
import { namedToken } from "../../support/http-fixture.js";
import { createQuietFeed } from "../../support/quiet-feed.js";
import { fuzzToken } from "./requests.js";

class QuickRuntime extends FakeRuntime {
  override runIsolatedTurn(
    request: IsolatedTurnRequest,
    handlers: IsolatedTurnHandlers = {},
  ): Promise<IsolatedTurnResult> {
    return answerHello(new FakeTurn(request, handlers));
  }
}

export function quickServerOptions(): CodexNativeApiServerOptions {
  return {
    runtime: new QuickRuntime(),
    registry: new InMemoryCodexNativeApiContinuationRegistry({ maxEntries: 200 }),
    host: "127.0.0.1",
    port: 0,
    authToken: "the-default-token",
    tokens: [namedToken("fuzzer", fuzzToken)],
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 256 * 1024,
    unsupportedParameters: "ignore",
    version: "0.0.0-test",
    logger: createSilentLogger(),
  };
}

/** The routes and guards without a socket, for `inject`. */
export async function createQuickApp(parts: Partial<RouteContext> = {}): Promise<FastifyInstance> {
  const options = quickServerOptions();
  const { runtime, registry } = options;
  const access = new AccessPolicy(options.host, options);
  const guards = {
    access: () => access,
    bodyLimits: new BodyLimits(bodyBoundsOf(options)),
    isClosing: () => false,
  };
  const app = buildApp({
    ...guards,
    webSockets: new WebSockets(guards),
    options,
    dialects,
    context: {
      runtime,
      metadataLevel: () => "silent",
      registry,
      exchanges: new Exchanges({
        runtime,
        registry,
        loopShare: new LoopShare(),
        wallClock: Date.now,
        clock: () => performance.now(),
        newId: createId,
      }),
      requestLog: new RequestLog(new InMemoryCodexNativeApiRequestStore()),
      requestContent: () => false,
      callerTurns: new CallerTurns(),
      loopShare: new LoopShare(),
      unsupportedParameters: options.unsupportedParameters,
      keepAliveCommentMs: 15_000,
      streamHeadHoldMs: 10_000,
      // The injector's answers keep their timers to the end, and with them all there was of a request.
      limits: { stalledReaderTimeoutMs: 1_000 },
      version: options.version,
      localhostOnly: true,
      openWebSockets: () => 0,
      eventFeed: createQuietFeed(),
      pageCodes: new PageCodes(() => performance.now()),
      readPage: async () => null,
      logger: options.logger,
      clock: () => performance.now(),
      wallClock: Date.now,
      ...parts,
    },
    inFlight: new InFlight(),
  });
  await app.ready();
  return app;
}
