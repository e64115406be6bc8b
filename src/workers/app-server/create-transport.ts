import type { AppServerEndpoint } from "../contract/endpoint.js";
import { limits } from "../contract/limits.js";
import { connectionLimits } from "./connection-limits.js";
import { StdioTransport } from "./stdio-transport.js";
import type { Transport } from "./transport.js";
import { WebSocketTransport } from "./websocket-transport.js";

export type CreateTransport = (
  endpoint: AppServerEndpoint,
  onChild: (pid: number | null) => void,
) => Transport;

/** The wire that an endpoint calls for. */
export const createTransport: CreateTransport = (endpoint, onChild) => {
  const { maxMessageBytes, stderrTailBytes } = limits;
  const { maxBacklogBytes } = connectionLimits;
  if (endpoint.kind === "stdio") {
    return new StdioTransport({
      spec: endpoint.spawn,
      maxMessageBytes,
      maxBacklogBytes,
      stderrTailBytes,
      onChild,
    });
  }
  const target = endpoint.kind === "unix" ? { socketPath: endpoint.socketPath } : { url: endpoint.url };
  const { maxFrameBytes, maxSentBytes, closeTimeoutMs } = connectionLimits;
  return new WebSocketTransport({
    target,
    maxReceivedBytes: maxMessageBytes,
    maxSentBytes: Math.min(maxSentBytes, maxMessageBytes),
    maxFrameBytes,
    maxBacklogBytes,
    closeTimeoutMs,
  });
};
