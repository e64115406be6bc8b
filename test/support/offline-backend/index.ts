/** The offline backend: a scriptable model backend on loopback, for tests, demo and benchmarks. */
export type { AccountLimitSettings } from "./account-limits.js";
export type { AskedRequest } from "./asked-routes.js";
export type { BackendCounters } from "./counters.js";
export { type DemandedForm, isLite } from "./demanded-form.js";
export { echo } from "./echo.js";
export { managedInstructions, requiredInstructions } from "./full-account.js";
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
  createProviderHome,
  type LoginOptions,
  logout,
  type ProviderHomeOptions,
  type ProviderTuning,
  switchAccount,
} from "./login.js";
export { OfflineBackend, type OfflineBackendOptions } from "./offline-backend.js";
export type { OutputPart, UrlCitation } from "./output-parts.js";
export { type RateLimitSettings, type RateLimitWindow, usedUpFor } from "./rate-limits.js";
export {
  lastUserText,
  type ModelRequestBody,
  offeredTools,
  type RecordedModelRequest,
  type StreamClosing,
  type StreamOutcome,
} from "./recorded-request.js";
export {
  DEFAULT_USAGE,
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
  lastEvent,
  type ReasoningOptions,
  rawItem,
  reasoning,
  refusal,
  resetConnection,
  responseFailed,
  type ShellCallOptions,
  shellCall,
  stall,
  streamError,
  type TextOptions,
  text,
  textInDeltas,
  type WebSearchOptions,
  webSearchCall,
  withUsage,
} from "./reply-builders.js";
export type { RequestMatch } from "./reply-script.js";
export type { WaitForRequestOptions } from "./request-log.js";
export type { AccountForm } from "./route.js";
export type { Identity } from "./token-authority.js";
