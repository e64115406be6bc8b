/** Errors on the wire: in the shape of their dialect, with what official clients obey in the headers. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { describeError } from "../dialects/answers/error-body.js";
import { CodexNativeApiError, type CodexNativeApiErrorCode } from "../errors.js";
import { describeChallenge } from "./access-policy.js";

/** Seconds to wait where waiting helps and nobody knows how long. */
const defaultRetrySeconds = 1;

export function describeErrorHeaders(error: CodexNativeApiError): Readonly<Record<string, string>> {
  const seconds =
    error.retryAfterMs === null ? defaultRetrySeconds : Math.max(1, Math.ceil(error.retryAfterMs / 1000));
  const waitingHelps = error.retryable || error.retryAfterMs !== null;
  return {
    ...(!error.retryable && { "x-should-retry": "false" }),
    ...(waitingHelps && { "retry-after": String(seconds) }),
  };
}

export function sendError(request: FastifyRequest, reply: FastifyReply, error: CodexNativeApiError): void {
  if (error.code === "invalid_auth_token") {
    reply.header("www-authenticate", describeChallenge(request.headers));
  }
  // Of the route's own dialect; what is refused before there is a route is told as OpenAI does.
  const describe = request.routeOptions.config.errors?.describe ?? describeError;
  reply.code(error.status).headers(describeErrorHeaders(error)).send(describe(error));
}

const byFastifyCode: ReadonlyMap<string, readonly [CodexNativeApiErrorCode, string]> = new Map([
  ["FST_ERR_CTP_INVALID_MEDIA_TYPE", ["unsupported_media_type", "Send the body as application/json."]],
  ["FST_ERR_BAD_URL", ["invalid_request", "The URL is not valid."]],
  ["FST_ERR_MAX_PARAM_LENGTH", ["route_not_found", "There is no such route."]],
]);

/** Any error as the one a client may see: what is not ours becomes `internal_error`, whose text says nothing of it. */
export function toApiError(error: unknown): CodexNativeApiError {
  if (error instanceof CodexNativeApiError) return error;
  const known = byFastifyCode.get(codeOf(error));
  if (known !== undefined) return new CodexNativeApiError(known[0], known[1], { cause: error });
  return new CodexNativeApiError("internal_error", "The server failed to answer this request.", {
    cause: error,
  });
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : "";
  return typeof code === "string" ? code : "";
}
