/**
 * The options table: every setting of the service, once. Parsing, help, the example files, the JSON schema and the table in
 * docs/configuration.md are all made from it.
 */
import { codexOptions } from "./codex-options.js";
import type { OptionSpec } from "./option-spec.js";
import { serviceOptions } from "./service-options.js";

export const options = { ...serviceOptions, ...codexOptions };

/** In the order they are shown. */
export const optionGroups: readonly { readonly title: string; readonly options: readonly OptionSpec[] }[] = [
  {
    title: "Service",
    options: [
      options.configFile,
      options.enabled,
      options.shutdownGraceMs,
      options.logLevel,
      options.logFormat,
    ],
  },
  {
    title: "Listening and access",
    options: [
      options.host,
      options.port,
      options.authToken,
      options.authTokenFile,
      options.authTokens,
      options.authTokensFile,
      options.allowedHosts,
      options.allowedOrigins,
    ],
  },
  {
    title: "Requests",
    options: [
      options.defaultModel,
      options.turnProfile,
      options.unsupportedParameters,
      options.jsonKeepAlive,
      options.maxBodyBytes,
      options.maxBodyValues,
      options.maxItemValues,
      options.maxHeaderBytes,
      options.headersTimeoutMs,
      options.requestTimeoutMs,
      options.minBodyBytesPerSecond,
      options.streamHeadHoldMs,
      options.maxConnections,
    ],
  },
  {
    title: "Codex",
    options: [
      options.codexBin,
      options.codexHomeMode,
      options.codexUserHome,
      options.stateDir,
      options.codexConfig,
      options.patientProvider,
      options.appServer,
    ],
  },
  {
    title: "Load",
    options: [
      options.workers,
      options.maxConcurrentTurns,
      options.startGate,
      options.maxQueue,
      options.queueTimeoutMs,
      options.turnIdleTimeoutMs,
      options.turnIdleTimeoutsMs,
      options.turnTimeoutMs,
      options.spareThreads,
      options.upstreamLimit,
      options.upstreamConnections,
      options.upstreamConnectionsPerSecond,
    ],
  },
  {
    title: "Stored responses",
    options: [options.continuationTtlMs, options.continuationMaxEntries, options.continuationMaxBytes],
  },
];

export const allOptions: readonly OptionSpec[] = optionGroups.flatMap((group) => group.options);
