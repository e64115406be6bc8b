/** From checked settings to the one frozen value the service runs on. */
import { isAbsolute, join } from "node:path";
import { parseAppServerAddress } from "./app-server-address.js";
import { readAuthToken, refuseOpenListener } from "./auth-token.js";
import { type Environment, locateDefaultStateDir } from "./directories.js";
import type { ConfigFault } from "./faults.js";
import type { LayeredSettings } from "./layers.js";
import type { Machine } from "./machine.js";
import { digestToken, type NamedToken } from "./named-token.js";
import { readNamedTokens } from "./named-tokens.js";
import { normalizeHost, normalizeOrigin } from "./network-names.js";
import { options } from "./options.js";
import type { AuthConfig, CodexConfig, CodexNativeApiConfig, HttpConfig, ListenConfig } from "./types.js";

export interface CompiledConfig {
  readonly config: CodexNativeApiConfig;
  /** Faults that only show when options are seen together. */
  readonly faults: readonly ConfigFault[];
}

export function compileConfig(settings: LayeredSettings, machine: Machine, env: Environment): CompiledConfig {
  const access = compileAccess(settings, machine);
  const config: CodexNativeApiConfig = {
    enabled: settings.read(options.enabled),
    listen: access.listen,
    auth: access.auth,
    codex: compileCodex(settings, machine, env),
    appServer: parseAppServerAddress(settings.read(options.appServer)) ?? { kind: "shared" },
    turns: {
      profile: settings.read(options.turnProfile),
      defaultModel: settings.read(options.defaultModel),
      idleTimeoutMs: settings.read(options.turnIdleTimeoutMs),
      idleTimeoutsMs: settings.read(options.turnIdleTimeoutsMs),
      timeoutMs: settings.read(options.turnTimeoutMs),
      spareThreads: settings.read(options.spareThreads),
      upstreamLimit: settings.read(options.upstreamLimit),
      upstreamConnections: settings.read(options.upstreamConnections),
      upstreamConnectionsPerSecond: settings.read(options.upstreamConnectionsPerSecond),
    },
    workers: settings.read(options.workers) ?? Math.min(4, Math.max(1, machine.cores - 1)),
    admission: {
      maxConcurrentTurns: settings.read(options.maxConcurrentTurns),
      startGate: settings.read(options.startGate),
      maxQueue: settings.read(options.maxQueue),
      queueTimeoutMs: settings.read(options.queueTimeoutMs),
    },
    continuation: {
      ttlMs: settings.read(options.continuationTtlMs),
      maxEntries: settings.read(options.continuationMaxEntries),
      maxBytes: settings.read(options.continuationMaxBytes),
    },
    http: {
      maxBodyBytes: settings.read(options.maxBodyBytes),
      maxBodyValues: settings.read(options.maxBodyValues),
      maxItemValues: settings.read(options.maxItemValues),
      maxHeaderBytes: settings.read(options.maxHeaderBytes),
      headersTimeoutMs: settings.read(options.headersTimeoutMs),
      requestTimeoutMs: settings.read(options.requestTimeoutMs),
      minBodyBytesPerSecond: settings.read(options.minBodyBytesPerSecond),
      streamHeadHoldMs: settings.read(options.streamHeadHoldMs),
      maxConnections: settings.read(options.maxConnections),
      allowedHosts: settings.read(options.allowedHosts).flatMap((host) => normalizeHost(host) ?? []),
      allowedOrigins: settings
        .read(options.allowedOrigins)
        .flatMap((origin) => normalizeOrigin(origin) ?? []),
      unsupportedParameters: settings.read(options.unsupportedParameters),
      jsonKeepAlive: settings.read(options.jsonKeepAlive),
    },
    shutdownGraceMs: settings.read(options.shutdownGraceMs),
    logLevel: settings.read(options.logLevel),
    logFormat: settings.read(options.logFormat),
  };
  return { config, faults: [...access.faults, ...refuseShortRequests(settings, config.http)] };
}

function refuseShortRequests(
  settings: LayeredSettings,
  { headersTimeoutMs, requestTimeoutMs }: HttpConfig,
): readonly ConfigFault[] {
  if (requestTimeoutMs >= headersTimeoutMs) return [];
  if (settings.isFaulty(options.headersTimeoutMs, options.requestTimeoutMs)) return [];
  const problem = `${requestTimeoutMs} is less than http.headersTimeoutMs, which is ${headersTimeoutMs}: headers are part of a request`;
  const source = settings.originOf(options.requestTimeoutMs);
  // A default is nobody's fault.
  const { name } = source.layer === "default" ? settings.originOf(options.headersTimeoutMs) : source;
  return [{ source: name, given: null, problem }];
}

interface Access {
  readonly listen: ListenConfig;
  readonly auth: AuthConfig;
  readonly faults: readonly ConfigFault[];
}

function compileAccess(settings: LayeredSettings, machine: Machine): Access {
  const givenHost = settings.read(options.host);
  const listen = { host: normalizeHost(givenHost) ?? givenHost, port: settings.read(options.port) };
  const { token, faults: tokenFaults } = readAuthToken(settings, options, machine);
  const named = readNamedTokens(settings, options, machine);
  const faults = [...tokenFaults, ...named.faults, ...refuseSharedToken(token, named.tokens)];
  const auth = { token, tokens: named.tokens };
  const { host, authToken, authTokenFile, authTokens, authTokensFile } = options;
  const isDecided =
    faults.length === 0 && !settings.isFaulty(host, authToken, authTokenFile, authTokens, authTokensFile);
  const open = isDecided ? refuseOpenListener(listen.host, auth, settings.originOf(host)) : null;
  return { listen, auth, faults: open === null ? faults : [...faults, open] };
}

function refuseSharedToken(token: string | null, tokens: readonly NamedToken[]): readonly ConfigFault[] {
  const digest = token === null ? null : digestToken(token);
  const twin = tokens.find(({ sha256 }) => sha256 === digest);
  if (twin === undefined) return [];
  const problem = `holds the same token as auth.token; give it one of its own`;
  return [{ source: `the token "${twin.name}"`, given: null, problem }];
}

function compileCodex(settings: LayeredSettings, machine: Machine, env: Environment): CodexConfig {
  const bin = settings.read(options.codexBin);
  return {
    // A bare name is looked up on PATH; anything with a separator is a place.
    bin: bin === null || isCommandName(bin) ? bin : settings.readPath(options.codexBin),
    homeMode: settings.read(options.codexHomeMode),
    userHome: settings.readPath(options.codexUserHome) ?? join(machine.homeDir, ".codex"),
    stateDir: settings.readPath(options.stateDir) ?? locateDefaultStateDir(machine, env),
    config: settings.readMerged(options.codexConfig),
    patientProvider: settings.read(options.patientProvider),
  };
}

function isCommandName(text: string): boolean {
  return !isAbsolute(text) && !/[/\\]/.test(text) && !text.startsWith("~");
}
