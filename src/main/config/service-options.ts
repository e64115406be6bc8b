/** The listener's and the process's part of the options table. Comments address hosts, descriptions address users. */
import { defaults } from "./defaults.js";
import { isTokenText } from "./named-token.js";
import { normalizeHost, normalizeOrigin } from "./network-names.js";
import { bytes, choice, defineOption, integer, list, milliseconds, path, text, yesOrNo } from "./option.js";
import { tokenList } from "./token-entries.js";

const mebibyte = 1024 * 1024;

/** The service as a whole: keys without a group. */
export const processOptions = {
  config: defineOption({
    inFile: false,
    type: path("the path of a JSON file"),
    defaultText: "config.json in the platform's configuration directory, if it exists",
    description: "Configuration file.",
  }),
  /** False: an embedding host does not start the service. The `serve` command ignores it. */
  enabled: defineOption({
    env: "CODEX_NATIVE_API_ENABLE",
    flag: null,
    type: yesOrNo(),
    default: true,
    description: "0: an embedding host does not start the service. The serve command ignores it.",
  }),
  /** How long turns in flight may take to end when the service stops. */
  shutdownGraceMs: defineOption({
    type: milliseconds(0),
    // Container runtimes kill ten seconds after SIGTERM; a whole stop with this grace takes at most eight.
    default: 4_000,
    description: "How long turns in flight may take to end when the service stops.",
  }),
  /** Least severe level that is logged. For `serve`; a host has a logger of its own. */
  logLevel: defineOption({
    type: choice(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
    default: "info",
    reloadable: true,
    description: "Least severe level that is logged.",
  }),
  /** `auto`: text on a terminal, JSON lines elsewhere. */
  logFormat: defineOption({
    type: choice(["auto", "json", "text"]),
    default: "auto",
    description: "json: one object a line; text: for people; auto: text on a terminal, json elsewhere.",
  }),
};

/** Where the service listens. */
export const listenOptions = {
  /** Address or name to bind, an IPv6 address without brackets. Default `127.0.0.1`. */
  host: defineOption({
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
    type: integer(0, 65_535),
    default: 43_182,
    description: "Port to bind; 0 picks a free one.",
  }),
};

/** The tokens that callers must send. */
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
    description: "File with the bearer token and nothing else; refused when others may read it.",
  }),
  tokens: defineOption({
    env: null,
    flag: null,
    secret: true,
    type: tokenList(),
    default: [],
    reloadable: true,
    description:
      "More tokens, each with its own name and limits: see Named tokens. A config file that holds any must be private (0600).",
  }),
  tokensFile: defineOption({
    env: "CODEX_NATIVE_API_AUTH_TOKENS_FILE",
    type: path("the path of a JSON file of mode 0600"),
    reloadable: true,
    description: "File with a list like auth.tokens; both lists apply. Refused when others may read it.",
  }),
};

/** Which requests the service accepts. */
export const httpOptions = {
  /** Names accepted in the Host header beside the loopback ones, in lower case, without port. */
  allowedHosts: defineOption({
    type: list({
      allowed: "host names without port, separated by commas",
      placeholder: "HOST,...",
      parse: normalizeHost,
    }),
    default: [],
    reloadable: true,
    description: "Names accepted in the Host header beside the loopback ones.",
  }),
  /** Origins that may call, such as `https://app.example` or `app://obsidian.md`, in lower case. */
  allowedOrigins: defineOption({
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
  /** Request parameters that Codex cannot use: dropped and listed in the answer, or refused with 400. */
  unsupportedParameters: defineOption({
    type: choice(["ignore", "reject"]),
    default: "ignore",
    description: "Request parameters that Codex cannot use: ignore and list them, or reject the request.",
  }),
  /** Who gets whitespace ahead of a slow JSON answer: requests that ask for it by a header, or all. */
  jsonKeepAlive: defineOption({
    type: choice(["on-request", "always"]),
    default: "on-request",
    description:
      "Whitespace ahead of a slow JSON answer: for requests with the header x-codex-keep-alive: whitespace, or always. A failure after it has status 200.",
  }),
  /** Level at which the log has what a chat bridge says of its tasks, which may be private: `eventMetadata`, `threadMetadata`. */
  metadataLevel: defineOption({
    type: choice(["silent", "trace", "debug", "info"]),
    default: "silent",
    reloadable: true,
    description:
      "Level at which a task's eventMetadata and threadMetadata are logged, 4096 characters of each. They may be private; silent: not at all.",
  }),
  maxBodyBytes: defineOption({
    type: bytes(1024, 128 * mebibyte),
    default: 32 * mebibyte,
    reloadable: true,
    description:
      "Largest request body. The bodies of all requests under way may hold sixteen times as much together, not counting the first 64 KiB of each connection; one caller leaves a part to others.",
  }),
  /** JSON values in one request body. */
  maxBodyValues: defineOption({
    type: integer(1000, 100_000_000),
    default: defaults.http.maxBodyValues,
    reloadable: true,
    description:
      "JSON values in one request body: objects, lists, texts, numbers. A history of 32 MB in messages of 1 KB has a third of it.",
  }),
  /** JSON values in one item of `input` or `messages`, and in all other fields together. */
  maxItemValues: defineOption({
    type: integer(1000, 100_000_000),
    default: defaults.http.maxItemValues,
    reloadable: true,
    description:
      "JSON values in one item of input or messages, and in all other fields of a body together. More would be parsed in one go and delay other callers.",
  }),
  maxHeaderBytes: defineOption({
    type: bytes(1024, mebibyte),
    default: defaults.http.maxHeaderBytes,
    description: "Largest header block of a request.",
  }),
  /** Time for a request's headers to arrive. */
  headersTimeoutMs: defineOption({
    type: milliseconds(1),
    default: defaults.http.headersTimeoutMs,
    reloadable: true,
    description: "Time for a request's headers to arrive.",
  }),
  /** Time for a whole request to arrive; not less than `headersTimeoutMs`. */
  requestTimeoutMs: defineOption({
    type: milliseconds(1),
    default: defaults.http.requestTimeoutMs,
    reloadable: true,
    description: "Time for a whole request to arrive, body included; not less than http.headersTimeoutMs.",
  }),
  /** A body that falls ten seconds behind this speed is refused; 0: none is. */
  minBodyBytesPerSecond: defineOption({
    type: integer(0, 1024 * mebibyte),
    default: defaults.http.minBodyBytesPerSecond,
    reloadable: true,
    description:
      "Slowest speed of a request body; one that falls ten seconds behind is refused. 0: no bound.",
  }),
  /** Longest wait of a stream's head for the model's first output, from the turn's admission; 0: no wait. */
  streamHeadHoldMs: defineOption({
    type: milliseconds(0),
    default: defaults.http.streamHeadHoldMs,
    description:
      "How long a stream's head waits for the model's first output after its turn left the queue; a turn that fails before that is answered with its error's status. 0: no wait.",
  }),
  /** Whether the stream of a response ends with `data: [DONE]`. That of a chat completion always does. */
  streamDone: defineOption({
    type: yesOrNo(),
    default: true,
    description:
      "1: the stream of a response ends with data: [DONE], as Open Responses has it and as chat completions always do. 0: with its last event, for clients that take each data for JSON.",
  }),
  /** Most open connections; one more is dropped. */
  maxConnections: defineOption({
    type: integer(1, 1_000_000),
    default: defaults.http.maxConnections,
    reloadable: true,
    description: "Most open connections; one more is dropped.",
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
    description: "Most stored responses; 0 stores none.",
  }),
  maxBytes: defineOption({
    env: "CODEX_NATIVE_API_CONTINUATION_MAX_BYTES",
    type: bytes(0, 64 * 1024 * mebibyte),
    default: defaults.continuation.maxBytes,
    description: "Largest size of all stored responses together.",
  }),
};

/** The log of requests. */
export const requestOptions = {
  /** Requests that the log keeps; 0 keeps none. */
  maxEntries: defineOption({
    env: "CODEX_NATIVE_API_REQUESTS_MAX_ENTRIES",
    type: integer(0, 100_000),
    default: defaults.requests.maxEntries,
    description: "Requests that the log of GET /v1/requests keeps, the newest; 0 keeps none.",
  }),
  /** Memory that they take together, about. */
  maxBytes: defineOption({
    env: "CODEX_NATIVE_API_REQUESTS_MAX_BYTES",
    type: bytes(0, 1024 * mebibyte),
    default: defaults.requests.maxBytes,
    description: "Memory that these requests take together, about. Matters with requests.content.",
  }),
  /** Whether the log has what was said: prompts, answers, metadata and the texts of errors. They may be private. */
  content: defineOption({
    env: "CODEX_NATIVE_API_REQUESTS_CONTENT",
    type: yesOrNo(),
    default: false,
    reloadable: true,
    description:
      "1: the log of requests has prompts, answers, metadata and the texts of errors too, 4096 characters of each, for every caller whose token sees the request. They may be private.",
  }),
};
