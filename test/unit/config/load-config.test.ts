import t from "tap";
import { type ConfigSources, loadConfig } from "../../../src/main/config/load-config.js";
import { type FakeFiles, fakeMachine } from "../../support/fake-machine.js";

const defaultFile = "/home/ada/.config/codex-native-api/config.json";

interface Given {
  readonly argv?: readonly string[];
  readonly env?: ConfigSources["env"];
  readonly files?: FakeFiles;
}

function load({ argv = [], env = {}, files = {} }: Given) {
  return loadConfig({ argv, env, machine: fakeMachine(files) });
}

function loadValid(given: Given) {
  const loaded = load(given);
  if (!loaded.ok)
    throw new Error(loaded.faults.map(({ source, problem }) => `${source}: ${problem}`).join("\n"));
  return loaded;
}

function loadFaults(given: Given): readonly string[] {
  const loaded = load(given);
  return loaded.ok ? [] : loaded.faults.map(({ source, problem }) => `${source}: ${problem}`);
}

t.test("nothing given yields the defaults of the launch contract", async (t) => {
  t.strictSame(loadValid({}).config, {
    enabled: true,
    listen: { host: "127.0.0.1", port: 43182 },
    auth: { token: null, tokens: [] },
    codex: {
      bin: null,
      homeMode: "isolated",
      userHome: "/home/ada/.codex",
      stateDir: "/home/ada/.local/state/codex-native-api",
      config: {},
      patientProvider: true,
      maxAppServerRssBytes: 6_442_450_944,
      maxIdleCpuPercent: 50,
      idleCpuWindowMs: 300_000,
    },
    appServer: { kind: "shared" },
    turns: {
      profile: "lean",
      readableRoots: [],
      defaultModel: null,
      idleTimeoutMs: 900_000,
      idleTimeoutsMs: {},
      timeoutMs: 1800000,
      spareThreads: 8,
      upstreamLimit: "auto",
      upstreamConnections: 32,
      upstreamConnectionsPerSecond: 16,
    },
    models: { aliases: {} },
    decisions: { model: null, effort: "low" },
    workers: 3,
    admission: { maxConcurrentTurns: 1000, startGate: 8, maxQueue: 2000, queueTimeoutMs: 240000 },
    continuation: { ttlMs: 1800000, maxEntries: 10000, maxBytes: 268435456 },
    requests: { maxEntries: 1000, maxBytes: 16777216, content: false },
    http: {
      maxBodyBytes: 33554432,
      maxBodyValues: 1000000,
      maxItemValues: 20000,
      maxHeaderBytes: 16384,
      headersTimeoutMs: 30000,
      requestTimeoutMs: 120000,
      minBodyBytesPerSecond: 8192,
      streamHeadHoldMs: 10_000,
      streamDone: true,
      maxConnections: 4096,
      allowedHosts: [],
      allowedOrigins: [],
      unsupportedParameters: "ignore",
      jsonKeepAlive: "on-request",
      metadataLevel: "silent",
    },
    shutdownGraceMs: 4000,
    logLevel: "info",
    logFormat: "auto",
  });
});

t.test("a flag wins over a variable, a variable over the file, the file over the default", async (t) => {
  const files = { [defaultFile]: JSON.stringify({ listen: { port: 1 }, workers: 5, logLevel: "debug" }) };
  const env = { CODEX_NATIVE_API_PORT: "2", CODEX_NATIVE_API_WORKERS: "6" };
  const { config, origins } = loadValid({ argv: ["--port", "3"], env, files });
  t.equal(config.listen.port, 3);
  t.equal(config.workers, 6);
  t.equal(config.logLevel, "debug");
  t.equal(config.shutdownGraceMs, 4000);
  t.strictSame(origins.get("listen.port"), { layer: "flag", name: "--port" });
  t.strictSame(origins.get("workers"), { layer: "environment", name: "CODEX_NATIVE_API_WORKERS" });
  t.strictSame(origins.get("logLevel"), { layer: "file", name: `logLevel in ${defaultFile}` });
  t.strictSame(origins.get("shutdownGraceMs"), { layer: "default", name: "4000" });
});

t.test("every fault of every source is reported at once", async (t) => {
  const files = {
    "/etc/api.json": JSON.stringify({ listen: { port: 70000, prot: 1 }, turns: 5, worker: 2 }),
  };
  const env = { CODEX_NATIVE_API_TURN_PROFILE: "fat", CODEX_NATIVE_API_PROT: "1", PATH: "/bin" };
  const argv = ["--config", "/etc/api.json", "--workers=none", "--max-queu", "5", "stray"];
  t.strictSame(loadFaults({ argv, env, files }), [
    "--max-queu: there is no such flag; did you mean --max-queue?",
    "stray: is one argument too many",
    "CODEX_NATIVE_API_PROT: there is no such environment variable; did you mean CODEX_NATIVE_API_PORT?",
    "listen.prot in /etc/api.json: there is no such key; did you mean listen.port?",
    "turns in /etc/api.json: takes an object with any of defaultModel, profile, readableRoots, idleTimeoutMs, idleTimeoutsMs, timeoutMs, spareThreads, upstreamLimit, upstreamConnections, upstreamConnectionsPerSecond",
    "worker in /etc/api.json: there is no such key; did you mean workers?",
    '--workers: "none" is not allowed; it takes an integer from 1 to 64',
    'CODEX_NATIVE_API_TURN_PROFILE: "fat" is not allowed; it takes lean or codex',
    "listen.port in /etc/api.json: 70000 is not allowed; it takes an integer from 0 to 65535",
  ]);
});

t.test("a bad value is a fault even where a higher source overrides it", async (t) => {
  const faults = loadFaults({ argv: ["--port", "1"], env: { CODEX_NATIVE_API_PORT: "one" } });
  t.strictSame(faults, ['CODEX_NATIVE_API_PORT: "one" is not allowed; it takes an integer from 0 to 65535']);
});

t.test("a fault of a measured value names its unit", async (t) => {
  const [fault] = loadFaults({ argv: ["--turn-timeout-ms", "30s"] });
  t.equal(
    fault,
    '--turn-timeout-ms: "30s" is not allowed; it takes an integer from 1 to 2147483647 (milliseconds)',
  );
});

t.test("a request has no less time than its headers", async (t) => {
  t.strictSame(loadFaults({ argv: ["--request-timeout-ms", "1000"] }), [
    "--request-timeout-ms: 1000 is less than http.headersTimeoutMs, which is 30000: headers are part of a request",
  ]);
  t.match(loadFaults({ argv: ["--headers-timeout-ms", "200000"] }), [
    /^--headers-timeout-ms: 120000 is less/,
  ]);
  loadValid({ argv: ["--headers-timeout-ms", "1000", "--request-timeout-ms", "1000"] });
});

t.test("an empty variable counts as not set", async (t) => {
  t.equal(loadValid({ env: { CODEX_NATIVE_API_PORT: "", CODEX_HOME: "" } }).config.listen.port, 43182);
});

t.test("the configuration is frozen to the last list", async (t) => {
  const { config } = loadValid({ env: { CODEX_NATIVE_API_ALLOWED_HOSTS: "box.lan" } });
  for (const part of [config, config.listen, config.codex, config.codex.config, config.http.allowedHosts]) {
    t.ok(Object.isFrozen(part));
  }
});

t.test("workers follow the cores, from one to four", async (t) => {
  const workersOf = (cores: number) => {
    const loaded = loadConfig({ argv: [], env: {}, machine: fakeMachine({}, { cores }) });
    return loaded.ok ? loaded.config.workers : null;
  };
  t.strictSame([1, 2, 3, 5, 64].map(workersOf), [1, 1, 2, 4, 4]);
});

t.test("codex settings of flags add to those of the file, key by key", async (t) => {
  const file = { codex: { config: { model_provider: "own", "features.shell_tool": false, limit: 3 } } };
  const argv = ["--codex-config", "model_provider=other", "--codex-config", 'notes="a=b"'];
  const { config } = loadValid({ argv, files: { [defaultFile]: JSON.stringify(file) } });
  t.strictSame(config.codex.config, {
    model_provider: "other",
    "features.shell_tool": "false",
    limit: "3",
    notes: '"a=b"',
  });
});

t.test("a codex setting without a value is refused and its text is not shown past the key", async (t) => {
  t.strictSame(loadFaults({ argv: ["--codex-config", "model_provider", "--codex-config", "a.key=sk-1"] }), [
    '--codex-config: "model_provider a.key=…" is not allowed; it takes key=value as in `codex -c key=value`',
  ]);
});

t.test("relative paths start from the working directory, those of the file from its folder", async (t) => {
  const files = {
    "/etc/codex/api.json": JSON.stringify({ codex: { stateDir: "state", userHome: "~/.other" } }),
  };
  const { codex } = loadValid({
    argv: ["--config=/etc/codex/api.json", "--codex-bin", "./bin/codex"],
    files,
  }).config;
  t.equal(codex.stateDir, "/etc/codex/state");
  t.equal(codex.userHome, "/home/ada/.other");
  t.equal(codex.bin, "/srv/app/bin/codex");
});

t.test("a bare command name stays a name to look up on PATH", async (t) => {
  t.equal(loadValid({ env: { CODEX_NATIVE_API_CODEX_BIN: "codex-beta" } }).config.codex.bin, "codex-beta");
});

t.test("CODEX_HOME says where the user's login is", async (t) => {
  t.equal(loadValid({ env: { CODEX_HOME: "/data/codex" } }).config.codex.userHome, "/data/codex");
});

t.test("each form of app-server address becomes a transport", async (t) => {
  const transportOf = (text: string) => loadValid({ argv: ["--app-server", text] }).config.appServer;
  t.strictSame(transportOf("stdio"), { kind: "stdio" });
  t.strictSame(transportOf("unix:///run/codex.sock"), { kind: "unix", socketPath: "/run/codex.sock" });
  t.strictSame(transportOf("ws://127.0.0.1:4500"), { kind: "tcp", url: "ws://127.0.0.1:4500" });
});

t.test("the directories follow the platform", async (t) => {
  const directoryOn = (platform: NodeJS.Platform, homeDir: string, env: ConfigSources["env"]) => {
    const loaded = loadConfig({ argv: [], env, machine: fakeMachine({}, { platform, homeDir }) });
    return loaded.ok ? loaded.config.codex.stateDir : null;
  };
  t.equal(directoryOn("linux", "/home/ada", { XDG_STATE_HOME: "/var/ada" }), "/var/ada/codex-native-api");
  t.equal(
    directoryOn("linux", "/home/ada", { XDG_STATE_HOME: "var" }),
    "/home/ada/.local/state/codex-native-api",
  );
  t.equal(
    directoryOn("darwin", "/Users/ada", {}),
    "/Users/ada/Library/Application Support/codex-native-api/state",
  );
  t.equal(
    directoryOn("win32", "C:\\Users\\ada", {}),
    "C:\\Users\\ada\\AppData\\Local\\codex-native-api\\state",
  );
});

t.test("the side-task router's variables may be there, and mean nothing to the service", async (t) => {
  const env = {
    CODEX_NATIVE_API_FALLBACK_BASE_URL: "https://api.example.com/v1",
    CODEX_NATIVE_API_FALLBACK_API_KEY: "key",
    CODEX_NATIVE_API_FALLBACK_MODEL: "model",
    CODEX_NATIVE_API_FALLBACK_DIALECT: "responses",
    CODEX_NATIVE_API_FALLBACK_ON: "none",
    CODEX_NATIVE_API_BASE_URL: "http://127.0.0.1:43182/v1",
  };
  t.strictSame(loadValid({ env }).config, loadValid({}).config);
  t.match(loadFaults({ env: { CODEX_NATIVE_API_FALLBACK_MODLE: "model" } }), [
    /^CODEX_NATIVE_API_FALLBACK_MODLE: there is no such environment variable; did you mean CODEX_NATIVE_API_FALLBACK_MODEL\?/,
  ]);
});

t.test("limits by name are read from text and from the file, and each is checked", async (t) => {
  const variable = "CODEX_NATIVE_API_TURN_IDLE_TIMEOUTS_MS";
  const read = (text: string) => loadValid({ env: { [variable]: text } }).config.turns.idleTimeoutsMs;
  t.strictSame(read("xhigh=1800000, gpt-5.5=300000"), { xhigh: 1_800_000, "gpt-5.5": 300_000 });
  t.strictSame(read(""), {});
  const argv = ["--turn-idle-timeouts-ms", "high=1", "--turn-idle-timeouts-ms=low=2,none=3"];
  t.strictSame(loadValid({ argv }).config.turns.idleTimeoutsMs, { high: 1, low: 2, none: 3 });
  for (const text of ["high", "high=soon", "high=0", "=5", "high=2147483648", "high=-1"]) {
    t.equal(loadFaults({ env: { [variable]: text } }).length, 1, text);
  }
});
