/** The listener's and the process's part of the options table. */
import { isTokenText } from "./named-token.js";
import { isWebOrigin, normalizeHost } from "./network-names.js";
import { defineOption } from "./option-spec.js";
import { bytes, choice, integer, list, milliseconds, path, text, yesOrNo } from "./option-types.js";
import { tokenList } from "./token-entries.js";

const mebibyte = 1024 * 1024;

export const serviceOptions = {
  configFile: defineOption({
    key: "config",
    env: "CODEX_NATIVE_API_CONFIG",
    inFile: false,
    type: path("the path of a JSON file"),
    default: null,
    defaultText: "config.json in the platform's configuration directory, if it is there",
    description: "Configuration file.",
  }),
  enabled: defineOption({
    key: "enabled",
    env: "CODEX_NATIVE_API_ENABLE",
    flag: null,
    type: yesOrNo(),
    default: true,
    description: "0: an embedding host does not start the service. The serve command serves all the same.",
  }),
  host: defineOption({
    key: "listen.host",
    env: "CODEX_NATIVE_API_HOST",
    type: text({
      allowed: "an IP address or a host name",
      placeholder: "HOST",
      isAllowed: (value) => normalizeHost(value) !== null,
    }),
    default: "127.0.0.1",
    description: "Address to bind. Beyond loopback it needs a token of at least 16 characters.",
  }),
  port: defineOption({
    key: "listen.port",
    env: "CODEX_NATIVE_API_PORT",
    type: integer(0, 65_535),
    default: 43_182,
    description: "Port to bind; 0 picks a free one.",
  }),
  authToken: defineOption({
    key: "auth.token",
    env: "CODEX_NATIVE_API_AUTH_TOKEN",
    flag: null,
    secret: true,
    type: text({
      allowed: "visible ASCII characters without spaces",
      placeholder: "TOKEN",
      isAllowed: isTokenText,
    }),
    default: null,
    description: "Bearer token for /v1/* and /metrics. A config file that holds it must be private (0600).",
  }),
  authTokenFile: defineOption({
    key: "auth.tokenFile",
    env: "CODEX_NATIVE_API_AUTH_TOKEN_FILE",
    type: path("the path of a file of mode 0600"),
    default: null,
    description: "File that holds the bearer token and nothing else; refused when others may read it.",
  }),
  authTokens: defineOption({
    key: "auth.tokens",
    env: null,
    flag: null,
    secret: true,
    type: tokenList(),
    default: [],
    defaultText: "none",
    description:
      "More tokens, each with a name and limits of its own: see Named tokens. A config file that holds any must be private (0600).",
  }),
  authTokensFile: defineOption({
    key: "auth.tokensFile",
    env: "CODEX_NATIVE_API_AUTH_TOKENS_FILE",
    type: path("the path of a JSON file of mode 0600"),
    default: null,
    description: "File with a list like auth.tokens; both add up. Refused when others may read it.",
  }),
  maxBodyBytes: defineOption({
    key: "http.maxBodyBytes",
    env: "CODEX_NATIVE_API_MAX_BODY_BYTES",
    type: bytes(1024, 128 * mebibyte),
    default: 32 * mebibyte,
    unit: "bytes",
    description: "Largest request body.",
  }),
  allowedHosts: defineOption({
    key: "http.allowedHosts",
    env: "CODEX_NATIVE_API_ALLOWED_HOSTS",
    type: list({
      allowed: "host names without port, separated by commas",
      placeholder: "HOST,...",
      isAllowed: (value) => normalizeHost(value) !== null,
    }),
    default: [],
    defaultText: "none",
    description: "Names taken in the Host header beside the loopback ones.",
  }),
  allowedOrigins: defineOption({
    key: "http.allowedOrigins",
    env: "CODEX_NATIVE_API_ALLOWED_ORIGINS",
    type: list({
      allowed: "web origins such as https://app.example, separated by commas",
      placeholder: "ORIGIN,...",
      isAllowed: isWebOrigin,
    }),
    default: [],
    defaultText: "none",
    description: "Web pages that may call the service, by origin.",
  }),
  unsupportedParameters: defineOption({
    key: "http.unsupportedParameters",
    env: "CODEX_NATIVE_API_UNSUPPORTED_PARAMETERS",
    type: choice(["ignore", "reject"]),
    default: "ignore",
    description: "Request parameters Codex has no place for: ignore and list them, or reject the request.",
  }),
  continuationTtlMs: defineOption({
    key: "continuation.ttlMs",
    env: "CODEX_NATIVE_API_CONTINUATION_TTL_MS",
    type: milliseconds(1),
    default: 1_800_000,
    unit: "milliseconds",
    description: "A stored response not used for this long expires.",
  }),
  continuationMaxEntries: defineOption({
    key: "continuation.maxEntries",
    env: "CODEX_NATIVE_API_CONTINUATION_MAX_ENTRIES",
    type: integer(0, 10_000_000),
    default: 10_000,
    description: "Stored responses kept at most; 0 stores none.",
  }),
  continuationMaxBytes: defineOption({
    key: "continuation.maxBytes",
    env: "CODEX_NATIVE_API_CONTINUATION_MAX_BYTES",
    type: bytes(0, 64 * 1024 * mebibyte),
    default: 256 * mebibyte,
    unit: "bytes",
    description: "Size of all stored responses at most.",
  }),
  shutdownGraceMs: defineOption({
    key: "shutdownGraceMs",
    env: "CODEX_NATIVE_API_SHUTDOWN_GRACE_MS",
    type: milliseconds(0),
    default: 10_000,
    unit: "milliseconds",
    description: "How long turns in flight may take to end when the service stops.",
  }),
  logLevel: defineOption({
    key: "logLevel",
    env: "CODEX_NATIVE_API_LOG_LEVEL",
    type: choice(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
    default: "info",
    description: "Least severe level that is logged.",
  }),
  logFormat: defineOption({
    key: "logFormat",
    env: "CODEX_NATIVE_API_LOG_FORMAT",
    type: choice(["auto", "json", "text"]),
    default: "auto",
    description: "json: one object a line; text: for people; auto: text on a terminal, json elsewhere.",
  }),
};
