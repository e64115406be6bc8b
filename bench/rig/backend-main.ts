/** The offline backend as a process of its own, so that it costs neither service nor client a turn of their event loops. */

import { DistantNetwork } from "../../test/support/distant-network.js";
import {
  createChatGptLogin,
  functionCall,
  type JsonValue,
  OfflineBackend,
  type RecordedModelRequest,
  text,
} from "../../test/support/offline-backend/index.js";
import type { BackendAnswer, BackendCommand, RequestSummary } from "./backend-messages.js";
import { serveCalls } from "./child-calls.js";

/** More than any question of a benchmark looks back at. */
const maxRecorded = 64;

const backend = await OfflineBackend.start({ maxRecorded, account: "personal", unknownRoutes: "any" });
let firstOfInterest = 0;
let network: DistantNetwork | null = null;

async function obey(command: BackendCommand): Promise<BackendAnswer> {
  switch (command.type) {
    case "reply": {
      const { deltas: count, charactersPerDelta, firstDelayMs, delayMs, calls: name } = command.plan;
      if (name !== undefined) {
        let calls = 0;
        backend.setDefaultReply(() => {
          calls += 1;
          return functionCall({ name, arguments: "{}", callId: `call_${calls}` });
        });
        return { type: "done" };
      }
      const deltas = Array.from({ length: count }, () => `${"x".repeat(charactersPerDelta - 1)}-`);
      backend.setDefaultReply(text({ deltas, firstDelayMs, delayMs }));
      return { type: "done" };
    }
    case "network": {
      const { roundTripMs } = command;
      network ??= await DistantNetwork.start({ to: Number(new URL(backend.origin).port), roundTripMs });
      network.setRoundTrip(roundTripMs);
      return { type: "done" };
    }
    case "idle-limit":
      backend.setWebSocketIdleLimit(command.idleMs);
      return { type: "done" };
    case "login":
      await createChatGptLogin({
        home: command.home,
        backend,
        ...(network !== null && { config: throughNetwork(network) }),
      });
      return { type: "done" };
    case "forget":
      firstOfInterest = (backend.requests.at(-1)?.index ?? -1) + 1;
      return { type: "done" };
    case "requests":
      return {
        type: "requests",
        requests: backend.requests.filter(({ index }) => index >= firstOfInterest).map(summarise),
      };
    case "place":
      return { type: "place", origin: backend.origin, environment: backend.environment() };
    case "limits":
      backend.setAccountLimits(command.limits);
      if (command.windows !== undefined) backend.setRateLimits(command.windows);
      return { type: "done" };
    case "counters":
      return { type: "counters", counters: { ...backend.counters } };
    case "streams":
      return { type: "streams", peakOpen: backend.counters.peakOpenStreams };
  }
}

/** The routes of the model and of the account. */
function throughNetwork({ port }: DistantNetwork) {
  const origin = `http://127.0.0.1:${port}`;
  return { openai_base_url: `${origin}/v1`, chatgpt_base_url: `${origin}/backend-api` };
}

function summarise(request: RecordedModelRequest): RequestSummary {
  const { transport, bodyBytes, body, fullInput } = request;
  const tools = body.tools ?? [];
  return {
    transport,
    bodyBytes,
    instructionsBytes: Buffer.byteLength(body.instructions ?? ""),
    tools: tools.length,
    toolsBytes: tools.length === 0 ? 0 : bytesOf(tools),
    inputItems: fullInput.length,
    inputBytes: bytesOf(fullInput),
  };
}

function bytesOf(value: readonly JsonValue[]): number {
  return Buffer.byteLength(JSON.stringify(value));
}

serveCalls({
  obey,
  close: async () => {
    await network?.close();
    await backend.close();
  },
});
