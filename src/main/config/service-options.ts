/** The listener's and the process's part of the options table. What the comments say is for hosts, the descriptions are for users. */
import { defaults } from "./defaults.js";
import { isTokenText } from "./named-token.js";
import { normalizeHost, normalizeOrigin } from "./network-names.js";
import { bytes, choice, defineOption, integer, list, milliseconds, path, text, yesOrNo } from "./option.js";
import { tokenList } from "./token-entries.js";

const mebibyte = 1024 * 1024;

/** Of the service as a whole: keys without a group. */
export const processOptions = {
  config: defineOption({
    env: "CODEX_NATIVE_API_CONFIG",
    inFile: false,
    type: path("the path of a JSON file"),
    defaultText: "config.json in the platform's configuration directory, if it is there",
    description: "Configuration file.",
  }),
  /** False: an embedding host does not start the service. The `serve` command serves all the same. */
  enabled: defineOption({
    env: "CODEX_NATIVE_API_ENABLE",
    flag: null,
    type: yesOrNo(),
    default: true,
    description: "0: an embedding host does not start the service. The serve command serves all the same.",
  }),
  /** How long turns in flight may take to end when the service stops. */
  shutdownGraceMs: defineOption({
    env: "CODEX_NATIVE_API_SHUTDOWN_GRACE_MS",
    type: milliseconds(0),
    // Container runtimes kill ten seconds after SIGTERM: with what stopping takes beyond it, all is over in eight.
    default: 4_000,
    description: "How long turns in flight may take to end when the service stops.",
  }),
  /** Least severe level that is logged; `serve` obeys it, a host has a logger of its own. */
  logLevel: defineOption({
    env: "CODEX_NATIVE_API_LOG_LEVEL",
    type: choice(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
    default: "info",
    reloadable: true,
    description: "Least severe level that is logged.",
  }),
  /** `auto`: text on a terminal, JSON lines elsewhere. */
  logFormat: defineOption({
    env: "CODEX_NATIVE_API_LOG_FORMAT",
    type: choice(["auto", "json", "text"]),
    default: "auto",
    description: "json: one object a line; text: for people; auto: text on a terminal, json elsewhere.",
  }),
};

/** Where the service listens. */
export const listenOptions = {
  /** Address or name to bind, an IPv6 address without brackets. Default `127.0.0.1`. */
  host: defineOption({
    env: "CODEX_NATIVE_API_HOST",
    type: text({
      allowed: "an IP address or a host name",
      placeholder: "HOST",
      parse: normalizeHost,
    }),
    default: "127.0.0.1",
    description: "Address to bind. Beyond loopback it needs a token of at least 16 characters.",
  }),
  /** Default 43182; 0 lets the system pick one. */
  port: defineOption({
    env: "CODEX_NATIVE_API_PORT",
    type: integer(0, 65_535),
    default: 43_182,
    description: "Port to bind; 0 picks a free one.",
  }),
};

/** What callers must show. */
export const authOptions = {
  token: defineOption({
    env: "CODEX_NATIVE_API_AUTH_TOKEN",
    flag: null,
    secret: true,
    type: text({
      allowed: "visible ASCII characters without spaces",
      placeholder: "TOKEN",
      parse: (value) => (isTokenText(value) ? value : null),
    }),
    reloadable: true,
    description: "Bearer token for /v1/* and /metrics. A config file that holds it must be private (0600).",
  }),
  tokenFile: defineOption({
    env: "CODEX_NATIVE_API_AUTH_TOKEN_FILE",
    type: path("the path of a file of mode 0600"),
    reloadable: true,
    description: "File that holds the bearer token and nothing else; refused when others may read it.",
  }),
  tokens: defineOption({
    env: null,
    flag: null,
    secret: true,
    type: tokenList(),
    default: [],
    reloadable: true,
    description:
      "More tokens, each with a name and limits of its own: see Named tokens. A config file that holds any must be private (0600).",
  }),
  tokensFile: defineOption({
    env: "CODEX_NATIVE_API_AUTH_TOKENS_FILE",
    type: path("the path of a JSON file of mode 0600"),
    reloadable: true,
    description: "File with a list like auth.tokens; both add up. Refused when others may read it.",
  }),
};

/** What requests are taken. */
export const httpOptions = {
  /** Host header names taken beside the loopback ones, in lower case, without port. */
  allowedHosts: defineOption({
    env: "CODEX_NATIVE_API_ALLOWED_HOSTS",
    type: list({
      allowed: "host names without port, separated by commas",
      placeholder: "HOST,...",
      parse: normalizeHost,
    }),
    default: [],
    reloadable: true,
    description: "Names taken in the Host header beside the loopback ones.",
  }),
  /** Origins that may call, such as `https://app.example` or `app://obsidian.md`, in lower case. */
  allowedOrigins: defineOption({
    env: "CODEX_NATIVE_API_ALLOWED_ORIGINS",
    type: list({
      allowed:
        "origins without a path, such as https://app.example or chrome-extension://ID, separated by commas",
      placeholder: "ORIGIN,...",
      parse: normalizeOrigin,
    }),
    default: [],
    reloadable: true,
    description: "Web pages, extensions and desktop programs that may call the service, by origin.",
  }),
  /** Request parameters that Codex has no place for: dropped and listed in the answer, or refused with 400. */
  unsupportedParameters: defineOption({
    env: "CODEX_NATIVE_API_UNSUPPORTED_PARAMETERS",
    type: choice(["ignore", "reject"]),
    default: "ignore",
    description: "Request parameters Codex has no place for: ignore and list them, or reject the request.",
  }),
  /** Who gets whitespace before a JSON answer that is long in coming: those that ask by a header, or all. */
  jsonKeepAlive: defineOption({
    env: "CODEX_NATIVE_API_JSON_KEEP_ALIVE",
    type: choice(["on-request", "always"]),
    default: "on-request",
    description:
      "Whitespace before a JSON answer that is long in coming: for requests with the header x-codex-keep-alive: whitespace, or always. What fails after it is told with status 200.",
  }),
  maxBodyBytes: defineOption({
    env: "CODEX_NATIVE_API_MAX_BODY_BYTES",
    type: bytes(1024, 128 * mebibyte),
    default: 32 * mebibyte,
    reloadable: true,
    description:
      "Largest request body. Those of all requests under way may be sixteen times as much together, besides the first 64 KiB of each connection's; one caller leaves others a part.",
  }),
  /** JSON values in one request body. */
  maxBodyValues: defineOption({
    env: "CODEX_NATIVE_API_MAX_BODY_VALUES",
    type: integer(1000, 100_000_000),
    default: defaults.http.maxBodyValues,
    reloadable: true,
    description:
      "JSON values in one request body: objects, lists, texts, numbers. A history of 32 MB in messages of 1 KB has a third of it.",
  }),
  /** JSON values in one item of `input` or `messages`, and in all other fields together. */
  maxItemValues: defineOption({
    env: "CODEX_NATIVE_API_MAX_ITEM_VALUES",
    type: integer(1000, 100_000_000),
    default: defaults.http.maxItemValues,
    reloadable: true,
    description:
      "JSON values in one item of input or messages, and in all other fields of a body together. More are parsed in one go, and hold up other callers.",
  }),
  maxHeaderBytes: defineOption({
    env: "CODEX_NATIVE_API_MAX_HEADER_BYTES",
    type: bytes(1024, mebibyte),
    default: defaults.http.maxHeaderBytes,
    description: "Largest header block of a request.",
  }),
  /** Time for a request's headers to arrive. */
  headersTimeoutMs: defineOption({
    env: "CODEX_NATIVE_API_HEADERS_TIMEOUT_MS",
    type: milliseconds(1),
    default: defaults.http.headersTimeoutMs,
    reloadable: true,
    description: "Time for a request's headers to arrive.",
  }),
  /** Time for a whole request to arrive; not less than `headersTimeoutMs`. */
  requestTimeoutMs: defineOption({
    env: "CODEX_NATIVE_API_REQUEST_TIMEOUT_MS",
    type: milliseconds(1),
    default: defaults.http.requestTimeoutMs,
    reloadable: true,
    description: "Time for a whole request to arrive, body included; not less than http.headersTimeoutMs.",
  }),
  /** A body that falls ten seconds behind this speed is given up; 0: none is. */
  minBodyBytesPerSecond: defineOption({
    env: "CODEX_NATIVE_API_MIN_BODY_BYTES_PER_SECOND",
    type: integer(0, 1024 * mebibyte),
    default: defaults.http.minBodyBytesPerSecond,
    reloadable: true,
    description:
      "Slowest that a request body may come; one that falls ten seconds behind is given up. 0: there is no such bound.",
  }),
  /** Longest wait of a stream's head for the model's first output, from the turn's admission on; 0: no wait. */
  streamHeadHoldMs: defineOption({
    env: "CODEX_NATIVE_API_STREAM_HEAD_HOLD_MS",
    type: milliseconds(0),
    default: defaults.http.streamHeadHoldMs,
    description:
      "How long a stream's head waits for the model's first output after its turn left the queue; a turn that fails before is answered with its error's status. 0: no wait.",
  }),
  /** Connections at once; one more is dropped. */
  maxConnections: defineOption({
    env: "CODEX_NATIVE_API_MAX_CONNECTIONS",
    type: integer(1, 1_000_000),
    default: defaults.http.maxConnections,
    reloadable: true,
    description: "Connections at once; one more is dropped.",
  }),
};

/** Bounds of the registry of stored responses. */
export const continuationOptions = {
  /** A stored response not used for this long expires. */
  ttlMs: defineOption({
    env: "CODEX_NATIVE_API_CONTINUATION_TTL_MS",
    type: milliseconds(1),
    default: defaults.continuation.ttlMs,
    description: "A stored response not used for this long expires.",
  }),
  maxEntries: defineOption({
    env: "CODEX_NATIVE_API_CONTINUATION_MAX_ENTRIES",
    type: integer(0, 10_000_000),
    default: defaults.continuation.maxEntries,
    description: "Stored responses kept at most; 0 stores none.",
  }),
  maxBytes: defineOption({
    env: "CODEX_NATIVE_API_CONTINUATION_MAX_BYTES",
    type: bytes(0, 64 * 1024 * mebibyte),
    default: defaults.continuation.maxBytes,
    description: "Size of all stored responses at most.",
  }),
};
