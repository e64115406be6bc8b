/** The package's public surface, and nothing else. A file exported whole declares nothing but public types. */

export type { CodexInstallationOptions } from "./codex/supervision/codex-installation.js";
export type { UsageBounds } from "./codex/supervision/usage-watch.js";
export type * from "./config/codex-choices.js";
export type { ConfigFault } from "./config/faults.js";
export type { ConfigChanges } from "./config/inspect-config.js";
export type { LayerKind, OptionOrigin } from "./config/layers.js";
export { type ConfigResult, type CreateConfigOptions, createConfig } from "./config/load-config.js";
export type { NamedToken } from "./config/named-token.js";
export type { TokenEntry } from "./config/token-entries.js";
export type * from "./config/types.js";
export {
  InMemoryCodexNativeApiContinuationRegistry,
  type InMemoryContinuationRegistryOptions,
} from "./continuation/in-memory-registry.js";
export type * from "./continuation/types.js";
export type * from "./dialects/decisions/decision-types.js";
export {
  CodexNativeApiError,
  type CodexNativeApiErrorCode,
  type CodexNativeApiErrorDetails,
} from "./errors.js";
export type { AccessOptions } from "./http/access-policy.js";
export type { ListeningAddress } from "./http/listener.js";
export type * from "./http/metrics-sink.js";
export { type CloseOptions, CodexNativeApiServer } from "./http/server.js";
export type { CodexNativeApiServerOptions, ListenerLimits, ServerSettings } from "./http/server-options.js";
export {
  InMemoryCodexNativeApiRequestStore,
  type InMemoryRequestStoreOptions,
} from "./observability/requests/in-memory-request-store.js";
export type * from "./observability/requests/types.js";
export type { MetadataLevel } from "./observability/task-metadata.js";
export { CodexNativeRuntime } from "./runtime/runtime.js";
export type * from "./runtime/runtime-options.js";
export type * from "./runtime/types.js";
export { type CreateRuntimeOptions, createRuntime } from "./service/create-runtime.js";
export type * from "./service/service-events.js";
export {
  CodexNativeApiService,
  type CodexNativeApiServiceOptions,
  type ReadinessSnapshot,
  type ServiceStart,
  type ServiceState,
} from "./service.js";
export type { CircuitState } from "./side-tasks/circuit-breaker.js";
export type { SideTaskRuntime, SideTaskService } from "./side-tasks/direct-route.js";
export type { ExternalReason, ProviderDialect } from "./side-tasks/external-reasons.js";
export type { SideTaskFailure } from "./side-tasks/fall-through.js";
export type { SideTaskLimits } from "./side-tasks/limits.js";
export { CodexNativeApiSideTaskRouter } from "./side-tasks/router.js";
export type { CodexNativeApiSideTaskRouterOptions } from "./side-tasks/router-options.js";
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
export type * from "./side-tasks/types.js";
export type { AdmissionBounds, AdmissionOptions } from "./turns/admission/admission.js";
