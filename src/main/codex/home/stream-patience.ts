/** Sets how long Codex waits for a silent model before it treats the stream as dead and sends the request again. Pure. */
import type { TomlTable, TomlValue } from "smol-toml";
import { isTable, readModelProvider } from "./codex-config.js";

export interface StreamPatience {
  /** Longest silence allowed in a turn, in milliseconds. */
  readonly silenceLimitMs: number;
  /** Whether to replace the built-in OpenAI provider, whose settings are fixed, by a copy with changed settings. */
  readonly replaceBuiltIn: boolean;
  readonly codexVersion: string;
}

/** One value of Codex's configuration, and the keys that lead to it. */
export interface CodexSetting {
  readonly path: readonly string[];
  readonly value: TomlValue;
}

/** The copy's id in `model_providers`. */
const patientProviderId = "codex-native-api-openai";

/**
 * Codex's timeout as a share of the turn's silence limit. High, because a repeated request starts from the beginning; below
 * 1, so that Codex can still retry a stream that is really dead.
 */
const shareOfLimit = 0.8;
/** The share for a provider without retries: above 1, so that the turn's limit applies first. */
const shareWithoutRetries = 1.2;

/** Settings that give the provider in effect this timeout. A timeout in the user's configuration is kept. */
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

/** Settings like those of the provider built into Codex 0.140 to 0.171, so that the backend gets the same requests. */
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
    // Without a base URL, Codex chooses the backend by the login.
    ...(typeof baseUrl === "string" ? [{ path: ["base_url"], value: baseUrl }] : []),
  ];
}
