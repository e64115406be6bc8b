import { setTimeout as delay } from "node:timers/promises";
import { RpcError } from "../app-server/errors.js";
import { overloadedRpcCode } from "./call-failure.js";

const attempts = 5;
const firstDelayMs = 40;

/** Repeats a call that an app-server with full queues refused, with growing, jittered pauses. It was not acted on. */
export async function retryWhenOverloaded<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const overloaded = error instanceof RpcError && error.rpcCode === overloadedRpcCode;
      if (!overloaded || attempt === attempts || signal.aborted) throw error;
      await delay(firstDelayMs * 2 ** attempt * (0.5 + Math.random()), undefined, { signal });
    }
  }
}
