/** The listener's and the process's part of the options table. */
import { isTokenText } from "./named-token.js";
import { normalizeHost, normalizeOrigin } from "./network-names.js";
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
    reloadable: true,
    description: "Bearer token for /v1/* and /metrics. A config file that holds it must be private (0600).",
  }),
  authTokenFile: defineOption({
    key: "auth.tokenFile",
    env: "CODEX_NATIVE_API_AUTH_TOKEN_FILE",
    type: path("the path of a file of mode 0600"),
    default: null,
    reloadable: true,
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
    reloadable: true,
    description:
      "More tokens, each with a name and limits of its own: see Named tokens. A config file that holds any must be private (0600).",
  }),
  authTokensFile: defineOption({
    key: "auth.tokensFile",
    env: "CODEX_NATIVE_API_AUTH_TOKENS_FILE",
    type: path("the path of a JSON file of mode 0600"),
    default: null,
    reloadable: true,
    description: "File with a list like auth.tokens; both add up. Refused when others may read it.",
  }),
  maxBodyBytes: defineOption({
    key: "http.maxBodyBytes",
    env: "CODEX_NATIVE_API_MAX_BODY_BYTES",
    type: bytes(1024, 128 * mebibyte),
    default: 32 * mebibyte,
    unit: "bytes",
    reloadable: true,
    description:
      "Largest request body. Those of all requests under way may be sixteen times as much together, besides the first 64 KiB of each connection's; one caller leaves others a part.",
  }),
  maxBodyValues: defineOption({
    key: "http.maxBodyValues",
    env: "CODEX_NATIVE_API_MAX_BODY_VALUES",
    type: integer(1000, 100_000_000),
    default: 1_000_000,
    reloadable: true,
    description:
      "JSON values in one request body: objects, lists, texts, numbers. A history of 32 MB in messages of 1 KB has a third of it.",
  }),
  maxItemValues: defineOption({
    key: "http.maxItemValues",
    env: "CODEX_NATIVE_API_MAX_ITEM_VALUES",
    type: integer(1000, 100_000_000),
    default: 20_000,
    reloadable: true,
    description:
      "JSON values in one item of input or messages, and in all other fields of a body together. More are parsed in one go, and hold up other callers.",
  }),
  maxHeaderBytes: defineOption({
    key: "http.maxHeaderBytes",
    env: "CODEX_NATIVE_API_MAX_HEADER_BYTES",
    type: bytes(1024, mebibyte),
    default: 16 * 1024,
    unit: "bytes",
    description: "Largest header block of a request.",
  }),
  headersTimeoutMs: defineOption({
    key: "http.headersTimeoutMs",
    env: "CODEX_NATIVE_API_HEADERS_TIMEOUT_MS",
    type: milliseconds(1),
    default: 30_000,
    unit: "milliseconds",
    reloadable: true,
    description: "Time for a request's headers to arrive.",
  }),
  requestTimeoutMs: defineOption({
    key: "http.requestTimeoutMs",
    env: "CODEX_NATIVE_API_REQUEST_TIMEOUT_MS",
    type: milliseconds(1),
    default: 120_000,
    unit: "milliseconds",
    reloadable: true,
    description: "Time for a whole request to arrive, body included; not less than http.headersTimeoutMs.",
  }),
  minBodyBytesPerSecond: defineOption({
    key: "http.minBodyBytesPerSecond",
    env: "CODEX_NATIVE_API_MIN_BODY_BYTES_PER_SECOND",
    type: integer(0, 1024 * mebibyte),
    default: 8 * 1024,
    reloadable: true,
    description:
      "Slowest that a request body may come; one that falls ten seconds behind is given up. 0: there is no such bound.",
  }),
  streamHeadHoldMs: defineOption({
    key: "http.streamHeadHoldMs",
    env: "CODEX_NATIVE_API_STREAM_HEAD_HOLD_MS",
    type: milliseconds(0),
    default: 10_000,
    unit: "milliseconds",
    description:
      "How long a stream's head waits for the model's first output after its turn left the queue; a turn that fails before is answered with its error's status. 0: no wait.",
  }),
  maxConnections: defineOption({
    key: "http.maxConnections",
    env: "CODEX_NATIVE_API_MAX_CONNECTIONS",
    type: integer(1, 1_000_000),
    default: 4096,
    reloadable: true,
    description: "Connections at once; one more is dropped.",
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
    reloadable: true,
    description: "Names taken in the Host header beside the loopback ones.",
  }),
  allowedOrigins: defineOption({
    key: "http.allowedOrigins",
    env: "CODEX_NATIVE_API_ALLOWED_ORIGINS",
    type: list({
      allowed:
        "origins without a path, such as https://app.example or chrome-extension://ID, separated by commas",
      placeholder: "ORIGIN,...",
      isAllowed: (value) => normalizeOrigin(value) !== null,
    }),
    default: [],
    defaultText: "none",
    reloadable: true,
    description: "Web pages, extensions and desktop programs that may call the service, by origin.",
  }),
  unsupportedParameters: defineOption({
    key: "http.unsupportedParameters",
    env: "CODEX_NATIVE_API_UNSUPPORTED_PARAMETERS",
    type: choice(["ignore", "reject"]),
    default: "ignore",
    description: "Request parameters Codex has no place for: ignore and list them, or reject the request.",
  }),
  jsonKeepAlive: defineOption({
    key: "http.jsonKeepAlive",
    env: "CODEX_NATIVE_API_JSON_KEEP_ALIVE",
    type: choice(["on-request", "always"]),
    default: "on-request",
    description:
      "Whitespace before a JSON answer that is long in coming: for requests with the header x-codex-keep-alive: whitespace, or always. What fails after it is told with status 200.",
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
    // Container runtimes kill ten seconds after SIGTERM: with what stopping takes beyond it, all is over in eight.
    default: 4_000,
    unit: "milliseconds",
    description: "How long turns in flight may take to end when the service stops.",
  }),
  logLevel: defineOption({
    key: "logLevel",
    env: "CODEX_NATIVE_API_LOG_LEVEL",
    type: choice(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
    default: "info",
    reloadable: true,
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
