import type { ResponseEventLog } from "../continuation/response-event-log.js";
import { encodeStreamError } from "../dialects/responses/encode-event.js";
import type { CodexNativeApiError } from "../errors.js";
import { toApiError } from "./error-reply.js";
import type { TurnExchange } from "./in-flight.js";
import type { SseWriter } from "./sse-writer.js";

/** Where a client begins to read a response's events, and what ends its reading. */
export interface LogReading {
  readonly log: ResponseEventLog;
  readonly firstNumber: number;
  /** None where whatever aborts it ends the log as well. */
  readonly signal?: AbortSignal;
}

/**
 * Sends events of a log as fast as this client takes them, up to the log's end, or to an `error` event: where the client was too slow
 * for what is kept, the response was deleted meanwhile, or the server can wait no longer. Resolves with that error, or null.
 */
export async function followLog(
  { log, firstNumber, signal }: LogReading,
  writer: SseWriter,
  exchange: TurnExchange,
): Promise<CodexNativeApiError | null> {
  let nextNumber = firstNumber;
  try {
    for await (const events of log.readFrom(firstNumber, signal)) {
      nextNumber = events.nextNumber;
      const held = writer.writeBytes(events.bytes);
      if (held !== undefined) await held;
      if (exchange.clientLeft) break;
    }
    return null;
  } catch (error) {
    if (exchange.clientLeft) return null;
    const fault = toApiError(error);
    void writer.write(encodeStreamError(fault, nextNumber));
    return fault;
  }
}
