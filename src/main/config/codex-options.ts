/** The part of the options table that concerns Codex, its turns and what may run at once. */
import { isAbsolute, join } from "node:path";
import { locateDefaultStateDir } from "./machine.js";
import { isLoopbackHost, normalizeHost } from "./network-names.js";
import {
  choice,
  defineOption,
  integer,
  integerOr,
  keyValues,
  milliseconds,
  millisecondsByName,
  path,
  pathOrCommand,
  text,
  yesOrNo,
} from "./option.js";

/** Which app-server the workers talk to, and whose it is. */
export type AppServerTransport =
  /** One process of ours for all workers, on a private unix socket. */
  | { readonly kind: "shared" }
  /** Each worker spawns a process of its own. */
  | { readonly kind: "stdio" }
  /** A running app-server of someone else's on a unix socket; never stopped by us. */
  | { readonly kind: "unix"; readonly socketPath: string }
  /** A running app-server of someone else's on a loopback port (`ws://127.0.0.1:4500`); never stopped by us. */
  | { readonly kind: "tcp"; readonly url: string };

/** How many threads talk to whose app-server: keys without a group. */
export const workerOptions = {
  /** Worker threads. */
  workers: defineOption({
    env: "CODEX_NATIVE_API_WORKERS",
    type: integer(1, 64),
    fallback: ({ cores }) => Math.min(4, Math.max(1, cores - 1)),
    defaultText: "cores - 1, from 1 to 4",
    description: "Worker threads, each with a connection of its own.",
  }),
  /** Which app-server the workers talk to, and whose it is. */
  appServer: defineOption({
    env: "CODEX_NATIVE_API_APP_SERVER",
    type: text({
      allowed: "shared, stdio, unix:///ABSOLUTE/PATH or ws://127.0.0.1:PORT (loopback only)",
      placeholder: "ADDRESS",
      parse: parseAppServerAddress,
    }),
    default: "shared",
    description:
      "shared: one app-server process for all workers. stdio: one per worker. An address attaches to a running one, which is never stopped.",
  }),
};

/** Which Codex runs, on whose login, and where its state is. */
export const codexOptions = {
  /** Command name or absolute path; null means `codex` on PATH, else the installed package's. */
  bin: defineOption({
    env: "CODEX_NATIVE_API_CODEX_BIN",
    type: pathOrCommand("a command name or the path of the Codex binary"),
    defaultText: "codex on PATH, else the installed package's",
    description: "The Codex binary.",
  }),
  /** Which `CODEX_HOME` the app-server has: one of the service's own whose login is a link to the user's, or the user's itself. */
  homeMode: defineOption({
    env: "CODEX_NATIVE_API_CODEX_HOME_MODE",
    type: choice(["isolated", "user"]),
    default: "isolated",
    description:
      "isolated: a CODEX_HOME of the service's own that shares only the login. user: yours, for keyring logins.",
  }),
  /** The user's `CODEX_HOME`, absolute. */
  userHome: defineOption({
    env: "CODEX_HOME",
    type: path("the path of a directory"),
    fallback: ({ homeDir }) => join(homeDir, ".codex"),
    defaultText: "~/.codex",
    description: "Your Codex home: where the login is.",
  }),
  /** Sockets, own `CODEX_HOME` and the pid ledger, absolute. May not exist yet. */
  stateDir: defineOption({
    env: "CODEX_NATIVE_API_STATE_DIR",
    type: path("the path of a directory"),
    fallback: locateDefaultStateDir,
    defaultText: "codex-native-api in the platform's state directory",
    description: "Directory for sockets, the service's own CODEX_HOME and the record of its processes.",
  }),
  /** Codex configuration added to the app-server's: dotted key to value, both as in `codex -c key=value`. */
  config: defineOption({
    env: null,
    flag: "codex-config",
    type: keyValues("key=value as in `codex -c key=value`"),
    default: {},
    description: "Codex configuration added to the app-server's. Flags add to the config file, key by key.",
  }),
  /** Whether Codex reaches OpenAI by a copy of its built-in provider that is more patient with a silent model. */
  patientProvider: defineOption({
    env: "CODEX_NATIVE_API_PATIENT_PROVIDER",
    type: yesOrNo(),
    default: true,
    description:
      "1: tested versions of Codex reach OpenAI by a copy of their built-in provider that waits for a silent model for four fifths of turns.idleTimeoutMs. 0: by the built-in one, which gives it up after 300 s and asks it anew.",
  }),
};

/** How turns run, and for how long at most. */
export const turnOptions = {
  /** Model when a request names none; null means the catalog's default. */
  defaultModel: defineOption({
    env: "CODEX_NATIVE_API_DEFAULT_MODEL",
    type: text({
      allowed: "a model id without spaces",
      placeholder: "MODEL",
      parse: (value) => /^\S{1,200}$/.exec(value)?.[0] ?? null,
    }),
    defaultText: "the catalog's default",
    reloadable: true,
    description: "Model when a request names none.",
  }),
  profile: defineOption({
    env: "CODEX_NATIVE_API_TURN_PROFILE",
    type: choice(["lean", "codex"]),
    default: "lean",
    description: "lean: the model sees the request alone. codex: Codex's own instructions stay.",
  }),
  /** No event of a turn for this long ends it with `turn_stalled`, though Codex says that it runs. */
  idleTimeoutMs: defineOption({
    env: "CODEX_NATIVE_API_TURN_IDLE_TIMEOUT_MS",
    type: milliseconds(1),
    default: 900_000,
    reloadable: true,
    description:
      "A turn of which nothing is heard for this long ends with turn_stalled, though Codex says that it runs. One that Codex does not run ends within a minute.",
  }),
  /** Other limits than that, by model id or by the reasoning effort that a request names; that of the model goes first. */
  idleTimeoutsMs: defineOption({
    env: "CODEX_NATIVE_API_TURN_IDLE_TIMEOUTS_MS",
    type: millisecondsByName("model ids or reasoning efforts with a limit of their own: NAME=MS,NAME=MS"),
    default: {},
    reloadable: true,
    description:
      "Other limits than turns.idleTimeoutMs, by model or by the effort that a request names; that of the model goes first.",
  }),
  /** A turn older than this ends with `turn_timeout`. */
  timeoutMs: defineOption({
    env: "CODEX_NATIVE_API_TURN_TIMEOUT_MS",
    type: milliseconds(1),
    default: 1_800_000,
    reloadable: true,
    description: "A turn older than this ends with turn_timeout.",
  }),
  /** Native threads started ahead of need, at most; 0 starts each with its turn. */
  spareThreads: defineOption({
    env: "CODEX_NATIVE_API_SPARE_THREADS",
    type: integer(0, 64),
    default: 8,
    description:
      "Native threads started ahead of need, at most, for turns like those that came before; 0 starts each with its turn.",
  }),
  /** Turns that the account's backend is asked to run at once; `auto` learns it. */
  upstreamLimit: defineOption({
    env: "CODEX_NATIVE_API_UPSTREAM_LIMIT",
    type: integerOr(["auto", "none"], 1, 100_000),
    default: "auto",
    description:
      "Turns that the account's backend is asked to run at once. auto: learned from what it accepts and refuses. none: refusals are passed on to callers as they come.",
  }),
  /** Connections of a ChatGPT account to its backend at most. */
  upstreamConnections: defineOption({
    env: "CODEX_NATIVE_API_UPSTREAM_CONNECTIONS",
    type: integer(1, 100_000),
    default: 32,
    description:
      "Connections of a ChatGPT account to its backend at most: running and parked turns, spare threads and idle chains together.",
  }),
  upstreamConnectionsPerSecond: defineOption({
    env: "CODEX_NATIVE_API_UPSTREAM_CONNECTIONS_PER_SECOND",
    type: integer(0, 100_000),
    default: 16,
    description:
      "New connections of a ChatGPT account to its backend within a second at most; 0: as many as turns need.",
  }),
};

/** How many turns run and wait at once. */
export const admissionOptions = {
  /** Turns that may run at once. */
  maxConcurrentTurns: defineOption({
    env: "CODEX_NATIVE_API_MAX_CONCURRENT_TURNS",
    type: integer(1, 100_000),
    default: 1000,
    reloadable: true,
    description: "Turns that may run at once.",
  }),
  /** Turns between "sent" and "started" per app-server process: a larger burst makes Codex lose notifications. */
  startGate: defineOption({
    env: "CODEX_NATIVE_API_START_GATE",
    type: integer(1, 1000),
    default: 8,
    description: "Turns between sent and started per app-server process; a larger burst loses notifications.",
  }),
  /** Turns that may wait; one more is refused with `queue_full`. */
  maxQueue: defineOption({
    env: "CODEX_NATIVE_API_MAX_QUEUE",
    type: integer(0, 1_000_000),
    default: 2000,
    reloadable: true,
    description: "Turns that may wait; one more is refused with queue_full.",
  }),
  /** A turn that waited this long is refused with `queue_timeout`. */
  queueTimeoutMs: defineOption({
    env: "CODEX_NATIVE_API_QUEUE_TIMEOUT_MS",
    type: milliseconds(1),
    default: 240_000,
    reloadable: true,
    description: "A turn that waited this long is refused with queue_timeout.",
  }),
};

/** Reads `shared`, `stdio`, `unix:///run/codex.sock` or `ws://127.0.0.1:4500`; null for anything else. */
export function parseAppServerAddress(text: string): AppServerTransport | null {
  if (text === "shared" || text === "stdio") return { kind: text };
  if (text.startsWith("unix://")) {
    const socketPath = text.slice("unix://".length);
    return isAbsolute(socketPath) && !socketPath.includes("\0") ? { kind: "unix", socketPath } : null;
  }
  return parseWebSocketAddress(text);
}

/** Loopback only: the protocol carries the account and has no encryption of its own. */
function parseWebSocketAddress(text: string): AppServerTransport | null {
  if (!text.startsWith("ws://") || !URL.canParse(text)) return null;
  const url = new URL(text);
  const host = normalizeHost(url.hostname);
  const isBare = url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
  if (host === null || !isLoopbackHost(host) || url.port === "" || !isBare) return null;
  return { kind: "tcp", url: `ws://${url.host}` };
}
