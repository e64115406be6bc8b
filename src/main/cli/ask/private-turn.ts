/** One turn on a runtime of the command's own, told as the service would tell it: what prints the one prints the other. */
import { randomUUID } from "node:crypto";
import type { JsonObject } from "../../../workers/contract/json.js";
import type { UnsupportedParameterPolicy } from "../../config/types.js";
import { unmetObligations } from "../../dialects/answers/obligations.js";
import { toResponsesTurn } from "../../dialects/responses/decode.js";
import { ResponseEventStream } from "../../dialects/responses/encode.js";
import { parseResponsesRequest } from "../../dialects/responses/request-schema.js";
import type { ResponseEvent } from "../../dialects/responses/wire-events.js";
import { CodexNativeApiError } from "../../errors.js";
import type { PrivateRuntime } from "../private-runtime.js";

interface PrivateTurnOptions {
  readonly runtime: PrivateRuntime;
  /** Of the Responses API. */
  readonly body: JsonObject;
  readonly unsupportedParameters: UnsupportedParameterPolicy;
  readonly wallClock: () => number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: JsonObject) => Promise<void>;
}

/** Ends with exactly one of the terminal events, with none once `signal` aborts. Throws `CodexNativeApiError` for a request that is at fault. */
export async function runPrivateTurn(options: PrivateTurnOptions): Promise<void> {
  const { runtime, body, unsupportedParameters, wallClock, signal, onEvent } = options;
  const turn = toResponsesTurn(parseResponsesRequest(body), unsupportedParameters);
  const newId = (prefix: string): string => `${prefix}_${randomUUID().replaceAll("-", "")}`;
  const stream = new ResponseEventStream(turn, { routePath: "/v1/responses", wallClock, newId });
  const output: JsonObject[] = [];
  const tell = async (events: readonly ResponseEvent[]): Promise<void> => {
    for (const event of events) await onEvent({ ...event });
  };
  let last: readonly ResponseEvent[];
  try {
    const result = await runtime.runIsolatedTurn(turn.request, {
      signal,
      onTurnStarted: (started) => {
        // Its first events say nothing that is printed.
        stream.start(started);
      },
      onEvent: (event) => {
        if (event.type === "item.completed") output.push(event.item);
        return tell(stream.push(event));
      },
    });
    stream.start(result);
    if (signal.aborted) return;
    const unmet = unmetObligations(turn.obligations, output);
    last = stream.end({ outcome: result.outcome, usage: result.usage, unmet });
  } catch (error) {
    if (signal.aborted) return;
    last = stream.fail(CodexNativeApiError.fromUnknown(error));
  }
  await tell(last);
}
