/** Errors on the wire: a body in the shape of their dialect, and headers that official clients obey. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { describeError } from "../dialects/answers/error-body.js";
import { CodexNativeApiError, type CodexNativeApiErrorCode } from "../errors.js";
import { describeChallenge } from "./access-policy.js";

/** Where waiting helps, and it is not known for how long. */
const defaultRetryAfterMs = 1000;

export function describeErrorHeaders(error: CodexNativeApiError): Readonly<Record<string, string>> {
  const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? defaultRetryAfterMs) / 1000));
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
  // The shape of the route's dialect; OpenAI's where the request was refused before there was a route.
  const describe = request.routeOptions.config.errors?.describe ?? describeError;
  reply.code(error.status).headers(describeErrorHeaders(error)).send(describe(error));
}

const byFastifyCode: ReadonlyMap<unknown, readonly [CodexNativeApiErrorCode, string]> = new Map([
  ["FST_ERR_CTP_INVALID_MEDIA_TYPE", ["unsupported_media_type", "Send the body as application/json."]],
  ["FST_ERR_BAD_URL", ["invalid_request", "The URL is not valid."]],
  ["FST_ERR_MAX_PARAM_LENGTH", ["route_not_found", "There is no such route: the path is too long."]],
]);

/** Any error as one that a caller may see: a foreign error becomes `internal_error`, whose text reveals nothing. */
export function toApiError(error: unknown): CodexNativeApiError {
  if (error instanceof CodexNativeApiError) return error;
  const [code, message] = byFastifyCode.get(
    error instanceof Error && "code" in error ? error.code : null,
  ) ?? ["internal_error", "The service failed to answer this request."];
  return new CodexNativeApiError(code, message, { cause: error });
}
