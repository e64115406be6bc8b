import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const firstPauseMs = 2;
const maxPauseMs = 50;
const connectTimeoutMs = 1_000;

/** Polls until the socket accepts a connection. Rejects with the signal's reason when it aborts. */
export async function waitForSocket(socketPath: string, signal: AbortSignal): Promise<void> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
    signal.throwIfAborted();
    if (await acceptsConnection(socketPath, signal)) return;
    await delay(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

function acceptsConnection(socketPath: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath });
    const settle = (accepted: boolean): void => {
      signal.removeEventListener("abort", refuse);
      socket.destroy();
      resolve(accepted);
    };
    const refuse = (): void => settle(false);
    signal.addEventListener("abort", refuse, { once: true });
    socket.setTimeout(connectTimeoutMs, refuse);
    socket.once("connect", () => settle(true));
    socket.once("error", refuse);
  });
}
