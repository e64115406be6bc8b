import type { ServerResponse } from "node:http";
import { defaultListenerLimits, type ListenerLimits } from "./server-options.js";

/**
 * For an answer that has begun: cuts off a client that takes nothing of it, which would else keep it in memory, and its turn open,
 * for as long as it likes. The socket counts every byte taken, and a stream with nothing to say sends comments.
 */
export function cutStalledReader(response: ServerResponse, limits: Partial<ListenerLimits>): void {
  const timeoutMs = limits.stalledReaderTimeoutMs ?? defaultListenerLimits.stalledReaderTimeoutMs;
  response.setTimeout(timeoutMs, () => response.destroy());
}
