import { AppServerError, RpcError } from "./errors.js";

/** A word for what went wrong below us that is safe to show: system errors carry paths in their messages. */
export function describeSystemError(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
    if (at instanceof AggregateError && at.errors.length > 0) return describeSystemError(at.errors[0]);
  }
  return error instanceof Error ? error.name : typeof error;
}

/** Why a dial failed, safe to show: an app-server's own words may name paths of this machine. */
export function describeDialFailure(error: unknown): string {
  if (error instanceof RpcError) return `the app-server refused the handshake (${error.rpcCode})`;
  if (error instanceof AppServerError) return error.message;
  return `the app-server could not be reached (${describeSystemError(error)})`;
}
