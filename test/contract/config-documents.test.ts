import { readFileSync } from "node:fs";
import t from "tap";
import { loadConfig } from "../../src/main/config/load-config.js";
import { allOptions } from "../../src/main/config/options.js";
import {
  configDocumentPaths as paths,
  renderEnvironmentExample,
  renderFileExample,
  renderFileSchema,
  renderReference,
} from "../support/config-documents.js";
import { fakeMachine } from "../support/fake-machine.js";

const defaults = loadConfig({ argv: [], env: {}, machine: fakeMachine() });

function read(path: string): string {
  return readFileSync(path, "utf8");
}

t.test("the generated files are up to date (npm run generate)", async (t) => {
  t.equal(read(paths.environmentExample), renderEnvironmentExample());
  t.equal(read(paths.fileExample), renderFileExample());
  t.equal(read(paths.fileSchema), renderFileSchema());
  t.equal(read(paths.reference), renderReference(read(paths.reference)));
});

t.test("the reference page names every key, flag, variable and default", async (t) => {
  const page = read(paths.reference);
  for (const { key, flag, env, inFile, defaultText } of allOptions) {
    if (inFile) t.ok(page.includes(`\`${key}\``), key);
    if (flag !== null) t.ok(page.includes(`\`--${flag}\``), flag);
    if (env !== null) t.ok(page.includes(`\`${env}\``), env);
    t.ok(page.includes(defaultText), `${key}: ${defaultText}`);
  }
});

t.test("the example config file says what the defaults say", async (t) => {
  const machine = fakeMachine({ "/etc/example.json": read(paths.fileExample) });
  const loaded = loadConfig({ argv: ["--config", "/etc/example.json"], env: {}, machine });
  t.ok(loaded.ok && defaults.ok);
  if (loaded.ok && defaults.ok) t.strictSame(loaded.config, defaults.config);
});

t.test("the example environment, uncommented, says what the defaults say", async (t) => {
  const lines = read(paths.environmentExample).match(/^#[A-Z_]+=.*$/gm) ?? [];
  const env = Object.fromEntries(lines.map((line) => line.slice(1).split("=", 2)));
  t.equal(lines.length, allOptions.filter((spec) => spec.env !== null).length);
  const loaded = loadConfig({ argv: [], env, machine: fakeMachine() });
  t.ok(loaded.ok && defaults.ok);
  if (loaded.ok && defaults.ok) t.strictSame(loaded.config, defaults.config);
});

t.test("durations and sizes carry their unit in every name", async (t) => {
  const suffixes = { milliseconds: ["Ms", "-ms", "_MS"], bytes: ["Bytes", "-bytes", "_BYTES"] } as const;
  for (const { key, flag, env, type } of allOptions) {
    if (type.unit === null) continue;
    const [inKey, inFlag, inEnv] = suffixes[type.unit];
    t.ok(key.endsWith(inKey) && flag?.endsWith(inFlag) && env?.endsWith(inEnv), key);
  }
  const unitless = allOptions.filter(
    ({ key, type }) => type.unit === null && /(Ms|Bytes|Timeout|Size)$/.test(key),
  );
  t.strictSame(unitless, []);
});

t.test("keys, flags and variables are each given once", async (t) => {
  for (const part of ["key", "flag", "env"] as const) {
    const names = allOptions.flatMap((spec) => spec[part] ?? []);
    t.equal(new Set(names).size, names.length, part);
  }
});

t.test("the names that people rely on do not change unnoticed", async (t) => {
  t.strictSame(
    allOptions.map(({ key, flag, env }) => [key, flag, env]),
    [
      ["config", "config", "CODEX_NATIVE_API_CONFIG"],
      ["enabled", null, "CODEX_NATIVE_API_ENABLE"],
      ["shutdownGraceMs", "shutdown-grace-ms", "CODEX_NATIVE_API_SHUTDOWN_GRACE_MS"],
      ["logLevel", "log-level", "CODEX_NATIVE_API_LOG_LEVEL"],
      ["logFormat", "log-format", "CODEX_NATIVE_API_LOG_FORMAT"],
      ["listen.host", "host", "CODEX_NATIVE_API_HOST"],
      ["listen.port", "port", "CODEX_NATIVE_API_PORT"],
      ["auth.token", null, "CODEX_NATIVE_API_AUTH_TOKEN"],
      ["auth.tokenFile", "auth-token-file", "CODEX_NATIVE_API_AUTH_TOKEN_FILE"],
      ["auth.tokens", null, null],
      ["auth.tokensFile", "auth-tokens-file", "CODEX_NATIVE_API_AUTH_TOKENS_FILE"],
      ["http.allowedHosts", "allowed-hosts", "CODEX_NATIVE_API_ALLOWED_HOSTS"],
      ["http.allowedOrigins", "allowed-origins", "CODEX_NATIVE_API_ALLOWED_ORIGINS"],
      ["turns.defaultModel", "default-model", "CODEX_NATIVE_API_DEFAULT_MODEL"],
      ["models.aliases", "model-aliases", "CODEX_NATIVE_API_MODEL_ALIASES"],
      ["decisions.model", "decisions-model", "CODEX_NATIVE_API_DECISIONS_MODEL"],
      ["decisions.effort", "decisions-effort", "CODEX_NATIVE_API_DECISIONS_EFFORT"],
      ["turns.profile", "turn-profile", "CODEX_NATIVE_API_TURN_PROFILE"],
      ["turns.readableRoots", "readable-roots", "CODEX_NATIVE_API_READABLE_ROOTS"],
      ["http.unsupportedParameters", "unsupported-parameters", "CODEX_NATIVE_API_UNSUPPORTED_PARAMETERS"],
      ["http.jsonKeepAlive", "json-keep-alive", "CODEX_NATIVE_API_JSON_KEEP_ALIVE"],
      ["http.metadataLevel", "metadata-level", "CODEX_NATIVE_API_METADATA_LEVEL"],
      ["http.maxBodyBytes", "max-body-bytes", "CODEX_NATIVE_API_MAX_BODY_BYTES"],
      ["http.maxBodyValues", "max-body-values", "CODEX_NATIVE_API_MAX_BODY_VALUES"],
      ["http.maxItemValues", "max-item-values", "CODEX_NATIVE_API_MAX_ITEM_VALUES"],
      ["http.maxHeaderBytes", "max-header-bytes", "CODEX_NATIVE_API_MAX_HEADER_BYTES"],
      ["http.headersTimeoutMs", "headers-timeout-ms", "CODEX_NATIVE_API_HEADERS_TIMEOUT_MS"],
      ["http.requestTimeoutMs", "request-timeout-ms", "CODEX_NATIVE_API_REQUEST_TIMEOUT_MS"],
      [
        "http.minBodyBytesPerSecond",
        "min-body-bytes-per-second",
        "CODEX_NATIVE_API_MIN_BODY_BYTES_PER_SECOND",
      ],
      ["http.streamHeadHoldMs", "stream-head-hold-ms", "CODEX_NATIVE_API_STREAM_HEAD_HOLD_MS"],
      ["http.streamDone", "stream-done", "CODEX_NATIVE_API_STREAM_DONE"],
      ["http.maxConnections", "max-connections", "CODEX_NATIVE_API_MAX_CONNECTIONS"],
      ["codex.bin", "codex-bin", "CODEX_NATIVE_API_CODEX_BIN"],
      ["codex.homeMode", "codex-home-mode", "CODEX_NATIVE_API_CODEX_HOME_MODE"],
      ["codex.userHome", "codex-home", "CODEX_HOME"],
      ["codex.stateDir", "state-dir", "CODEX_NATIVE_API_STATE_DIR"],
      ["codex.config", "codex-config", null],
      ["codex.patientProvider", "patient-provider", "CODEX_NATIVE_API_PATIENT_PROVIDER"],
      ["codex.maxAppServerRssBytes", "max-app-server-rss-bytes", "CODEX_NATIVE_API_MAX_APP_SERVER_RSS_BYTES"],
      ["codex.maxIdleCpuPercent", "max-idle-cpu-percent", "CODEX_NATIVE_API_MAX_IDLE_CPU_PERCENT"],
      ["codex.idleCpuWindowMs", "idle-cpu-window-ms", "CODEX_NATIVE_API_IDLE_CPU_WINDOW_MS"],
      ["appServer", "app-server", "CODEX_NATIVE_API_APP_SERVER"],
      ["workers", "workers", "CODEX_NATIVE_API_WORKERS"],
      ["admission.maxConcurrentTurns", "max-concurrent-turns", "CODEX_NATIVE_API_MAX_CONCURRENT_TURNS"],
      ["admission.startGate", "start-gate", "CODEX_NATIVE_API_START_GATE"],
      ["admission.maxQueue", "max-queue", "CODEX_NATIVE_API_MAX_QUEUE"],
      ["admission.queueTimeoutMs", "queue-timeout-ms", "CODEX_NATIVE_API_QUEUE_TIMEOUT_MS"],
      ["turns.idleTimeoutMs", "turn-idle-timeout-ms", "CODEX_NATIVE_API_TURN_IDLE_TIMEOUT_MS"],
      ["turns.idleTimeoutsMs", "turn-idle-timeouts-ms", "CODEX_NATIVE_API_TURN_IDLE_TIMEOUTS_MS"],
      ["turns.timeoutMs", "turn-timeout-ms", "CODEX_NATIVE_API_TURN_TIMEOUT_MS"],
      ["turns.spareThreads", "spare-threads", "CODEX_NATIVE_API_SPARE_THREADS"],
      ["turns.upstreamLimit", "upstream-limit", "CODEX_NATIVE_API_UPSTREAM_LIMIT"],
      ["turns.upstreamConnections", "upstream-connections", "CODEX_NATIVE_API_UPSTREAM_CONNECTIONS"],
      [
        "turns.upstreamConnectionsPerSecond",
        "upstream-connections-per-second",
        "CODEX_NATIVE_API_UPSTREAM_CONNECTIONS_PER_SECOND",
      ],
      ["continuation.ttlMs", "continuation-ttl-ms", "CODEX_NATIVE_API_CONTINUATION_TTL_MS"],
      ["continuation.maxEntries", "continuation-max-entries", "CODEX_NATIVE_API_CONTINUATION_MAX_ENTRIES"],
      ["continuation.maxBytes", "continuation-max-bytes", "CODEX_NATIVE_API_CONTINUATION_MAX_BYTES"],
      ["requests.maxEntries", "requests-max-entries", "CODEX_NATIVE_API_REQUESTS_MAX_ENTRIES"],
      ["requests.maxBytes", "requests-max-bytes", "CODEX_NATIVE_API_REQUESTS_MAX_BYTES"],
      ["requests.content", "requests-content", "CODEX_NATIVE_API_REQUESTS_CONTENT"],
    ],
  );
});
