/** The package's public surface, and nothing else. */
export type { CodexNativeApiConfig } from "./config/types.js";
export { InMemoryCodexNativeApiContinuationRegistry } from "./continuation/in-memory-registry.js";
export type {
  CodexNativeApiContinuationRegistry,
  ContinuationIdentity,
  ContinuationLookup,
  ContinuationPutResult,
  ContinuationRecord,
  ContinuationRegistryStats,
  NewContinuationRecord,
} from "./continuation/types.js";
export {
  CodexNativeApiError,
  type CodexNativeApiErrorCode,
  type CodexNativeApiErrorDetails,
} from "./errors.js";
export { CodexNativeApiServer } from "./http/server.js";
export { CodexNativeRuntime, type CodexNativeRuntimeOptions } from "./runtime/runtime.js";
export type {
  AppServerHealth,
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  NativeAccount,
  NativeModel,
  NativeRuntimeHealth,
  NativeTurnRuntime,
  RateLimits,
  Readiness,
  RequestTarget,
  TokenUsage,
  TurnEvent,
  TurnStarted,
  WorkerHealth,
} from "./runtime/types.js";
export { CodexNativeApiService, type CodexNativeApiServiceOptions } from "./service.js";
