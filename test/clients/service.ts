/** The one service that all clients ask, with the real app-server and the offline backend behind it. */
import { LogLines } from "../support/log-lines.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";
import { scriptedModel } from "./scripted-model.js";

export interface ClientsService {
  /** Without `/v1`. */
  readonly url: string;
  /** Ends with the service. */
  teardown(end: () => unknown): void;
  /** Gives the methods by which responses were asked since this call; `WS` for messages of a WebSocket. */
  methodsSince(): () => readonly string[];
  untilBusy(): Promise<void>;
  untilIdle(): Promise<void>;
  close(): Promise<void>;
}

export async function startClientsService(): Promise<ClientsService> {
  const ends: (() => unknown)[] = [];
  const teardown = (end: () => unknown) => void ends.push(end);
  const log = new LogLines();
  const harness = await startServiceHarness({ teardown }, { logger: log.logger });
  await harness.untilReady();
  harness.backend.setDefaultReply(scriptedModel);
  const running = () => harness.service.health()?.queue.running ?? 0;
  return {
    url: harness.url,
    teardown,
    methodsSince: () => {
      const start = log.lines.length;
      return () =>
        log.lines
          .slice(start)
          .filter(({ route }) => route === "/v1/responses")
          .map(({ method }) => String(method));
    },
    untilBusy: () => pollUntil(() => running() > 0),
    untilIdle: () => pollUntil(() => running() === 0, 20_000),
    close: async () => {
      for (const end of ends.reverse()) await end();
    },
  };
}
