/** How long Codex waits for a silent model before it takes the stream for dead and asks the model anew. Pure. */
import type { TomlTable, TomlValue } from "smol-toml";
import { isTable, readModelProvider } from "./codex-config.js";

export interface StreamPatience {
  /** Longest silence that a turn may have, in milliseconds. */
  readonly silenceLimitMs: number;
  /** Whether a copy that can be changed takes the place of the built-in OpenAI provider, which cannot. */
  readonly replaceBuiltIn: boolean;
  readonly codexVersion: string;
}

/** One value of Codex's configuration, and the keys that lead to it. */
export interface CodexSetting {
  readonly path: readonly string[];
  readonly value: TomlValue;
}

/** The name of the copy. */
const patientProviderId = "codex-native-api-openai";

/**
 * Codex's part of the silence that a turn may have. Nearly all of it, since what is asked anew begins from nothing; not all, so
 * that a stream which is really dead is tried a second time.
 */
const shareOfLimit = 0.8;
/** Of a provider that is not tried a second time: the turn's limit comes first. */
const shareWithoutRetries = 1.2;

/** What gives the provider in effect this patience. What the configuration says itself is kept. */
export function patientSettings(config: TomlTable, patience: StreamPatience): readonly CodexSetting[] {
  const id = readModelProvider(config);
  const providers = config.model_providers;
  const own = isTable(providers) ? providers[id] : undefined;
  if (isTable(own)) {
    if (own.stream_idle_timeout_ms !== undefined) return [];
    const share = own.stream_max_retries === 0 ? shareWithoutRetries : shareOfLimit;
    const value = Math.ceil(patience.silenceLimitMs * share);
    return [{ path: ["model_providers", id, "stream_idle_timeout_ms"], value }];
  }
  if (id !== "openai" || !patience.replaceBuiltIn) return [];
  const streamIdleMs = Math.ceil(patience.silenceLimitMs * shareOfLimit);
  const copy = copyOfBuiltIn(config, patience.codexVersion, streamIdleMs);
  return [
    { path: ["model_provider"], value: patientProviderId },
    ...copy.map(({ path, value }) => ({ path: ["model_providers", patientProviderId, ...path], value })),
  ];
}

/** As Codex 0.140 to 0.171 build theirs, so that the backend is sent the same requests. */
function copyOfBuiltIn(
  { openai_base_url: baseUrl }: TomlTable,
  codexVersion: string,
  streamIdleMs: number,
): readonly CodexSetting[] {
  return [
    { path: ["name"], value: "OpenAI" },
    { path: ["wire_api"], value: "responses" },
    { path: ["requires_openai_auth"], value: true },
    { path: ["supports_websockets"], value: true },
    { path: ["http_headers", "version"], value: codexVersion },
    { path: ["stream_idle_timeout_ms"], value: streamIdleMs },
    // Without one, Codex takes the backend that fits the login.
    ...(typeof baseUrl === "string" ? [{ path: ["base_url"], value: baseUrl }] : []),
  ];
}
