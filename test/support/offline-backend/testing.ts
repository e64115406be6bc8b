/**
 * `codex-native-api/testing`: the model backend that this project's own tests run on, for the tests of hosts. It stands on loopback, the
 * real Codex talks to it as if it were OpenAI's, and it answers what the test scripted. Nothing leaves the machine, and no login is needed.
 */
import { OfflineBackend, type OfflineBackendOptions } from "./offline-backend.js";

export type { AccountLimitSettings } from "./account-limits.js";
export type { AskedRequest } from "./asked-routes.js";
export type { TomlTable } from "./codex-config.js";
export type { BackendCounters } from "./counters.js";
export { decide, isDecision } from "./decisions.js";
export type { DemandedForm } from "./demanded-form.js";
export type { DeviceLogins } from "./device-logins.js";
export { echo } from "./echo.js";
export {
  type HttpErrorOptions,
  httpError,
  overloaded,
  rateLimited,
  type UsageLimitOptions,
  usageLimitReached,
} from "./http-errors.js";
export type { JsonObject, JsonValue } from "./json.js";
export {
  type ChatGptLogin,
  type ChatGptLoginOptions,
  createApiKeyLogin,
  createChatGptLogin,
  type LoginOptions,
  logout,
  type ProviderTuning,
  switchAccount,
} from "./login.js";
export type { OfflineBackend, OfflineBackendOptions } from "./offline-backend.js";
export type {
  FunctionCallPart,
  OutputPart,
  RawItemPart,
  ReasoningPart,
  RefusalPart,
  TextPart,
  UrlCitation,
  WebSearchPart,
} from "./output-parts.js";
export type { RateLimitSettings, RateLimitWindow } from "./rate-limits.js";
export {
  lastUserText,
  type ModelRequestBody,
  offeredTools,
  type RecordedModelRequest,
  type StreamClosing,
  type StreamOutcome,
} from "./recorded-request.js";
export {
  delayed,
  type Ending,
  type HangUpReply,
  type HttpErrorReply,
  held,
  type Reply,
  type ReplySource,
  reply,
  type StreamReply,
  silent,
  type TokenUsage,
} from "./reply.js";
export {
  contextLengthExceeded,
  cutConnection,
  type FunctionCallOptions,
  functionCall,
  hangUp,
  type InterruptionOptions,
  incomplete,
  type ReasoningOptions,
  rawItem,
  reasoning,
  refusal,
  resetConnection,
  responseFailed,
  stall,
  type TextOptions,
  text,
  textInDeltas,
  type WebSearchOptions,
  webSearchCall,
  withUsage,
} from "./reply-builders.js";
export type { RequestMatch } from "./reply-script.js";
export type { WaitForRequestOptions } from "./request-log.js";
export type { AccountForm, WorkspaceRouting } from "./route.js";
export type { Identity, TokenAnswer, TokenAuthority, TokenSet } from "./token-authority.js";

/**
 * Starts a backend on a free port of loopback. At first it answers each request with what the user said; `close` ends it. A route that it
 * does not know is a 404 and no fault, since a later Codex may ask for more than this one, unless `unknownRoutes` says which you expect.
 */
export function startOfflineBackend(options: OfflineBackendOptions = {}): Promise<OfflineBackend> {
  return OfflineBackend.start({ unknownRoutes: "any", ...options });
}
