import type { TurnErrorCode, TurnErrorData } from "../contract/errors.js";
import { isJsonObject } from "../contract/json.js";
import { limits } from "../contract/limits.js";
import type { TurnOutcome } from "../contract/turn-messages.js";

/** What `turn/completed` and `error` say of a failed turn. */
export interface NativeTurnError {
  readonly message: string;
  readonly codexErrorInfo?: unknown;
  readonly additionalDetails?: string | null | undefined;
}

/** Codex's own names for what went wrong, in its `CodexErrorInfo`. */
const codeOfCodexError: Readonly<Record<string, TurnErrorCode>> = {
  contextWindowExceeded: "context_length_exceeded",
  sessionBudgetExceeded: "usage_limit_reached",
  usageLimitExceeded: "usage_limit_reached",
  rateLimitExceeded: "rate_limit_exceeded",
  flexUnavailable: "server_overloaded",
  serverOverloaded: "server_overloaded",
  policyCapacityUnavailable: "server_overloaded",
  modelNotFound: "model_not_found",
  inferenceHookDenied: "content_policy_violation",
  cyberPolicy: "content_policy_violation",
  misalignmentPolicyViolation: "content_policy_violation",
  unauthorized: "native_login_required",
  badRequest: "upstream_bad_request",
  internalServerError: "upstream_connection_failed",
  httpConnectionFailed: "upstream_connection_failed",
  responseStreamConnectionFailed: "upstream_connection_failed",
  responseStreamDisconnected: "upstream_connection_failed",
  responseTooManyFailedAttempts: "upstream_connection_failed",
};

const codeOfUpstreamStatus: Readonly<Record<number, TurnErrorCode>> = {
  400: "upstream_bad_request",
  401: "native_login_required",
  404: "upstream_bad_request",
  413: "upstream_bad_request",
  422: "upstream_bad_request",
  429: "rate_limit_exceeded",
  503: "server_overloaded",
  529: "server_overloaded",
};

/** What an `other` error can only be told by: Codex has no field for these. Measured with 0.169. */
const patterns = {
  incomplete: /Incomplete response returned, reason: ([a-z_]+)/,
  status: /unexpected status (\d{3})/,
  disconnected: /^stream (?:disconnected|closed) before/,
  policy: /(?:usage|content) polic|flagged as potentially violating/i,
} as const;

/**
 * Codex asks the model again, up to ten times, when its answer was stopped by a content filter, and tells it how to evade it. To
 * the caller that answer is final. The reason, where this notice is about one.
 */
export function readStoppedAnswer(error: NativeTurnError): string | null {
  return patterns.incomplete.exec(error.additionalDetails ?? "")?.[1] ?? null;
}

/** What a turn that Codex calls failed means to the caller. */
export function classifyFailure(error: NativeTurnError | null): TurnOutcome {
  if (error === null) {
    return failed({ code: "internal_error", message: "Codex ended the turn without saying why." });
  }
  const reason = patterns.incomplete.exec(error.message)?.[1];
  if (reason !== undefined) return { status: "incomplete", reason };
  const { name, upstreamStatus } = readErrorInfo(error);
  const byStatus = upstreamStatus === null ? undefined : codeOfUpstreamStatus[upstreamStatus];
  const byName = name === null ? undefined : codeOfCodexError[name];
  const code = byStatus ?? byName;
  if (code === undefined) return failed(classifyByText(name, error.message));
  return failed({
    code,
    message: publicText(error.message),
    ...(upstreamStatus === null ? {} : { upstreamStatus }),
  });
}

/** An upstream 400 comes as the whole body in the text of an `other` error; the rest as a sentence. */
function classifyByText(name: string | null, text: string): TurnErrorData {
  const body = readErrorBody(text);
  const message = publicText(body?.message ?? text);
  if (body?.code === "content_policy_violation" || patterns.policy.test(message)) {
    return { code: "content_policy_violation", message };
  }
  if (patterns.disconnected.test(text)) return { code: "upstream_connection_failed", message };
  if (body !== null) {
    return {
      code: "upstream_bad_request",
      message,
      upstreamStatus: 400,
      ...(body.param && { param: body.param }),
    };
  }
  // Codex passes other refusals of the backend's on as their bare sentence, whatever code they had.
  return { code: name === "other" ? "upstream_bad_request" : "internal_error", message };
}

interface UpstreamErrorBody {
  readonly message: string;
  readonly code: string | null;
  readonly param: string | null;
}

function readErrorBody(text: string): UpstreamErrorBody | null {
  if (!text.startsWith("{")) return null;
  try {
    const body: unknown = JSON.parse(text);
    const error = isJsonObject(body) ? body.error : null;
    if (!isJsonObject(error) || typeof error.message !== "string") return null;
    const { message, code, param } = error;
    return {
      message,
      code: typeof code === "string" ? code : null,
      param: typeof param === "string" ? param : null,
    };
  } catch {
    return null;
  }
}

function failed(error: TurnErrorData): TurnOutcome {
  return { status: "failed", error };
}

function readErrorInfo(error: NativeTurnError): { name: string | null; upstreamStatus: number | null } {
  const statusInText = patterns.status.exec(error.message)?.[1];
  const fallback = statusInText === undefined ? null : Number(statusInText);
  const info = error.codexErrorInfo;
  if (typeof info === "string") return { name: info, upstreamStatus: fallback };
  if (!isJsonObject(info)) return { name: null, upstreamStatus: fallback };
  const [name, detail] = Object.entries(info)[0] ?? [null, null];
  const status = isJsonObject(detail) ? detail.httpStatusCode : null;
  return { name, upstreamStatus: typeof status === "number" ? status : fallback };
}

/** Paths of files as errors spell them. What follows a letter or another slash is part of an address or of a word. */
const paths = [
  /\bfile:\/\/[^\s"'<>]*[^\s"'<>.,:;)]/gi,
  /(?<![\w/])(?:\/[\w.@+-]+){2,}/g,
  /(?:\b[A-Za-z]:|\\)\\[^\s"'<>|:]+/g,
] as const;

/** Codex's texts may name files of this machine, and an upstream may answer with a whole page. */
export function publicText(text: string): string {
  const withoutPaths = paths.reduce((left, path) => left.replace(path, "[path]"), text);
  return withoutPaths.length <= limits.maxErrorTextChars
    ? withoutPaths
    : `${withoutPaths.slice(0, limits.maxErrorTextChars)}…`;
}
