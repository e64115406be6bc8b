/** The part of the options table that concerns Codex, its turns and what may run at once. */
import { parseAppServerAddress } from "./app-server-address.js";
import { defineOption } from "./option-spec.js";
import {
  choice,
  integer,
  integerOr,
  keyValues,
  milliseconds,
  millisecondsByName,
  path,
  text,
  yesOrNo,
} from "./option-types.js";

export const codexOptions = {
  codexBin: defineOption({
    key: "codex.bin",
    env: "CODEX_NATIVE_API_CODEX_BIN",
    type: path("a command name or the path of the Codex binary"),
    default: null,
    defaultText: "codex on PATH, else the installed package's",
    description: "The Codex binary.",
  }),
  codexHomeMode: defineOption({
    key: "codex.homeMode",
    env: "CODEX_NATIVE_API_CODEX_HOME_MODE",
    type: choice(["isolated", "user"]),
    default: "isolated",
    description:
      "isolated: a CODEX_HOME of the service's own that shares only the login. user: yours, for keyring logins.",
  }),
  codexUserHome: defineOption({
    key: "codex.userHome",
    env: "CODEX_HOME",
    type: path("the path of a directory"),
    default: null,
    defaultText: "~/.codex",
    description: "Your Codex home: where the login is.",
  }),
  stateDir: defineOption({
    key: "codex.stateDir",
    env: "CODEX_NATIVE_API_STATE_DIR",
    type: path("the path of a directory"),
    default: null,
    defaultText: "codex-native-api in the platform's state directory",
    description: "Directory for sockets, the service's own CODEX_HOME and the record of its processes.",
  }),
  codexConfig: defineOption({
    key: "codex.config",
    env: null,
    flag: "codex-config",
    type: keyValues("key=value as in `codex -c key=value`"),
    default: {},
    defaultText: "none",
    description: "Codex configuration added to the app-server's. Flags add to the config file, key by key.",
  }),
  patientProvider: defineOption({
    key: "codex.patientProvider",
    env: "CODEX_NATIVE_API_PATIENT_PROVIDER",
    type: yesOrNo(),
    default: true,
    description:
      "1: tested versions of Codex reach OpenAI by a copy of their built-in provider that waits for a silent model for four fifths of turns.idleTimeoutMs. 0: by the built-in one, which gives it up after 300 s and asks it anew.",
  }),
  appServer: defineOption({
    key: "appServer",
    env: "CODEX_NATIVE_API_APP_SERVER",
    type: text({
      allowed: "shared, stdio, unix:///ABSOLUTE/PATH or ws://127.0.0.1:PORT (loopback only)",
      placeholder: "ADDRESS",
      isAllowed: (value) => parseAppServerAddress(value) !== null,
    }),
    default: "shared",
    description:
      "shared: one app-server process for all workers. stdio: one per worker. An address attaches to a running one, which is never stopped.",
  }),
  turnProfile: defineOption({
    key: "turns.profile",
    env: "CODEX_NATIVE_API_TURN_PROFILE",
    type: choice(["lean", "codex"]),
    default: "lean",
    description: "lean: the model sees the request alone. codex: Codex's own instructions stay.",
  }),
  defaultModel: defineOption({
    key: "turns.defaultModel",
    env: "CODEX_NATIVE_API_DEFAULT_MODEL",
    type: text({
      allowed: "a model id without spaces",
      placeholder: "MODEL",
      isAllowed: (value) => /^\S{1,200}$/.test(value),
    }),
    default: null,
    defaultText: "the catalog's default",
    reloadable: true,
    description: "Model when a request names none.",
  }),
  turnIdleTimeoutMs: defineOption({
    key: "turns.idleTimeoutMs",
    env: "CODEX_NATIVE_API_TURN_IDLE_TIMEOUT_MS",
    type: milliseconds(1),
    default: 900_000,
    unit: "milliseconds",
    reloadable: true,
    description:
      "A turn of which nothing is heard for this long ends with turn_stalled, though Codex says that it runs. One that Codex does not run ends within a minute.",
  }),
  turnIdleTimeoutsMs: defineOption({
    key: "turns.idleTimeoutsMs",
    env: "CODEX_NATIVE_API_TURN_IDLE_TIMEOUTS_MS",
    type: millisecondsByName("model ids or reasoning efforts with a limit of their own: NAME=MS,NAME=MS"),
    default: {},
    defaultText: "none",
    unit: "milliseconds",
    reloadable: true,
    description:
      "Other limits than turns.idleTimeoutMs, by model or by the effort that a request names; that of the model goes first.",
  }),
  turnTimeoutMs: defineOption({
    key: "turns.timeoutMs",
    env: "CODEX_NATIVE_API_TURN_TIMEOUT_MS",
    type: milliseconds(1),
    default: 1_800_000,
    unit: "milliseconds",
    reloadable: true,
    description: "A turn older than this ends with turn_timeout.",
  }),
  workers: defineOption({
    key: "workers",
    env: "CODEX_NATIVE_API_WORKERS",
    type: integer(1, 64),
    default: null,
    defaultText: "cores - 1, from 1 to 4",
    description: "Worker threads, each with a connection of its own.",
  }),
  spareThreads: defineOption({
    key: "turns.spareThreads",
    env: "CODEX_NATIVE_API_SPARE_THREADS",
    type: integer(0, 64),
    default: 8,
    description:
      "Native threads started ahead of need, at most, for turns like those that came before; 0 starts each with its turn.",
  }),
  upstreamLimit: defineOption({
    key: "turns.upstreamLimit",
    env: "CODEX_NATIVE_API_UPSTREAM_LIMIT",
    type: integerOr(["auto", "none"], 1, 100_000),
    default: "auto",
    description:
      "Turns that the account's backend is asked to run at once. auto: learned from what it accepts and refuses. none: refusals are passed on to callers as they come.",
  }),
  upstreamConnections: defineOption({
    key: "turns.upstreamConnections",
    env: "CODEX_NATIVE_API_UPSTREAM_CONNECTIONS",
    type: integer(1, 100_000),
    default: 32,
    description:
      "Connections of a ChatGPT account to its backend at most: running and parked turns, spare threads and idle chains together.",
  }),
  upstreamConnectionsPerSecond: defineOption({
    key: "turns.upstreamConnectionsPerSecond",
    env: "CODEX_NATIVE_API_UPSTREAM_CONNECTIONS_PER_SECOND",
    type: integer(0, 100_000),
    default: 16,
    description:
      "New connections of a ChatGPT account to its backend within a second at most; 0: as many as turns need.",
  }),
  maxConcurrentTurns: defineOption({
    key: "admission.maxConcurrentTurns",
    env: "CODEX_NATIVE_API_MAX_CONCURRENT_TURNS",
    type: integer(1, 100_000),
    default: 1000,
    reloadable: true,
    description: "Turns that may run at once.",
  }),
  startGate: defineOption({
    key: "admission.startGate",
    env: "CODEX_NATIVE_API_START_GATE",
    type: integer(1, 1000),
    default: 8,
    description: "Turns between sent and started per app-server process; a larger burst loses notifications.",
  }),
  maxQueue: defineOption({
    key: "admission.maxQueue",
    env: "CODEX_NATIVE_API_MAX_QUEUE",
    type: integer(0, 1_000_000),
    default: 2000,
    reloadable: true,
    description: "Turns that may wait; one more is refused with queue_full.",
  }),
  queueTimeoutMs: defineOption({
    key: "admission.queueTimeoutMs",
    env: "CODEX_NATIVE_API_QUEUE_TIMEOUT_MS",
    type: milliseconds(1),
    default: 240_000,
    unit: "milliseconds",
    reloadable: true,
    description: "A turn that waited this long is refused with queue_timeout.",
  }),
};
