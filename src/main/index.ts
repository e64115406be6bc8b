/** The package's public surface, and nothing else. */
export type { AppServerTransport } from "./config/codex-options.js";
export type { ConfigFault } from "./config/faults.js";
export type { ConfigChanges } from "./config/inspect-config.js";
export type { LayerKind, OptionOrigin } from "./config/layers.js";
export { type ConfigResult, type CreateConfigOptions, createConfig } from "./config/load-config.js";
export type { NamedToken } from "./config/named-token.js";
export type { TokenEntry } from "./config/token-entries.js";
export type {
  AdmissionConfig,
  AuthConfig,
  CodexConfig,
  CodexHomeMode,
  CodexNativeApiConfig,
  CodexNativeApiSettings,
  ContinuationConfig,
  HttpConfig,
  ListenConfig,
  LogFormat,
  LogLevel,
  TurnsConfig,
  UnsupportedParameterPolicy,
} from "./config/types.js";
export {
  InMemoryCodexNativeApiContinuationRegistry,
  type InMemoryContinuationRegistryOptions,
} from "./continuation/in-memory-registry.js";
export type {
  CodexNativeApiContinuationRegistry,
  ContinuationGoneReason,
  ContinuationIdentity,
  ContinuationLookup,
  ContinuationPutResult,
  ContinuationRecord,
  ContinuationRegistryStats,
  ContinuationRouteKind,
  NewContinuationRecord,
} from "./continuation/types.js";
export {
  CodexNativeApiError,
  type CodexNativeApiErrorCode,
  type CodexNativeApiErrorDetails,
} from "./errors.js";
export type { AccessOptions } from "./http/access-policy.js";
export type { ListeningAddress } from "./http/listener.js";
export type { MetricsPage, MetricsSink, RequestObservation } from "./http/metrics-sink.js";
export { type CloseOptions, CodexNativeApiServer } from "./http/server.js";
export type { CodexNativeApiServerOptions, ListenerLimits, ServerSettings } from "./http/server-options.js";
export type { AdmissionBounds, AdmissionOptions } from "./runtime/admission/admission.js";
export type { CodexInstallationOptions } from "./runtime/codex-installation.js";
export { CodexNativeRuntime } from "./runtime/runtime.js";
export type { CodexNativeRuntimeOptions, RuntimeSettings } from "./runtime/runtime-options.js";
export type {
  AppServerHealth,
  FunctionTool,
  HealthOptions,
  IsolatedTurnHandlers,
  IsolatedTurnOutcome,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  ItemChunk,
  ItemList,
  Items,
  JsonObject,
  NativeAccount,
  NativeModel,
  NativeRuntimeHealth,
  NativeRuntimeObserver,
  NativeTurnRuntime,
  OnAdmission,
  OutputItemType,
  PromptForm,
  PromptFormHealth,
  PromptFormsHealth,
  QueueWait,
  RateLimits,
  RateLimitWindow,
  Readiness,
  RequestTarget,
  SpareThreadsHealth,
  TokenUsage,
  ToolOutput,
  ToolOutputPart,
  TurnErrorCode,
  TurnErrorData,
  TurnEvent,
  TurnObservation,
  TurnOutcome,
  TurnPriority,
  TurnProfile,
  TurnStarted,
  TurnTerms,
  UpstreamConnectionsHealth,
  UpstreamLimitHealth,
  UpstreamLimitsHealth,
  WebSearchLocation,
  WebSearchOptions,
  WorkerHealth,
  WorkerSlotState,
} from "./runtime/types.js";
export type {
  CodexNativeApiServiceEvents,
  ServiceAccountChanged,
  ServiceListening,
  ServiceReady,
  ServiceStopped,
  ServiceStopping,
  ServiceUnavailable,
} from "./service/service-events.js";
export {
  CodexNativeApiService,
  type CodexNativeApiServiceOptions,
  type ServiceStart,
  type ServiceState,
} from "./service.js";
export type { CircuitState } from "./side-tasks/circuit-breaker.js";
export type { SideTaskRuntime } from "./side-tasks/direct-route.js";
export type { SideTaskFailure } from "./side-tasks/fall-through.js";
export type { SideTaskLimits } from "./side-tasks/limits.js";
export {
  CodexNativeApiSideTaskRouter,
  type CodexNativeApiSideTaskRouterOptions,
} from "./side-tasks/router.js";
export {
  readSideTaskSettings,
  type SideTaskSettingsFault,
  type SideTaskSettingsResult,
} from "./side-tasks/settings.js";
export {
  CodexNativeApiSideTaskError,
  type CodexNativeApiSideTaskErrorCode,
  type CodexNativeApiSideTaskErrorDetails,
} from "./side-tasks/side-task-error.js";
export type {
  SideTaskClass,
  SideTaskClassOverrides,
  SideTaskClassSettings,
} from "./side-tasks/task-classes.js";
export type {
  ExternalProvider,
  LocalApiSettings,
  SideTaskRequest,
  SideTaskResult,
  SideTaskRouteName,
  SideTaskSettings,
  SideTaskSkipReason,
  SideTaskTarget,
  SideTaskTrial,
} from "./side-tasks/types.js";
