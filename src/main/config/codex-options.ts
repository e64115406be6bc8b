/** The part of the options table for Codex, its turns and their limits. */
import { isAbsolute, join } from "node:path";
import { findRootFault } from "../readable-files/readable-files.js";
import type { AppServerTransport, CodexHomeMode } from "./codex-choices.js";
import { defaults } from "./defaults.js";
import { locateDefaultStateDir } from "./machine.js";
import { modelAliases } from "./model-aliases.js";
import { isLoopbackHost, normalizeHost } from "./network-names.js";
import {
  bytes,
  choice,
  defineOption,
  folders,
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

/** Worker threads and their app-server: keys without a group. */
export const workerOptions = {
  /** Worker threads. */
  workers: defineOption({
    type: integer(1, 64),
    fallback: ({ cores }) => Math.min(4, Math.max(1, cores - 1)),
    defaultText: "cores - 1, from 1 to 4",
    description: "Worker threads, each with a connection of its own.",
  }),
  /** Which app-server the workers talk to, and who owns it. */
  appServer: defineOption({
    type: text({
      allowed: "shared, stdio, unix:///ABSOLUTE/PATH or ws://127.0.0.1:PORT (loopback only)",
      placeholder: "ADDRESS",
      parse: parseAppServerAddress,
    }),
    default: "shared",
    description:
      "shared: one app-server process for all workers. stdio: one per worker. An address attaches to a running one, which the service never stops.",
  }),
};

/** Which Codex runs, with which login, and where its state is. */
export const codexOptions = {
  /** Command name or absolute path; null means `codex` on PATH, else the installed package's. */
  bin: defineOption({
    env: "CODEX_NATIVE_API_CODEX_BIN",
    type: pathOrCommand("a command name or the path of the Codex binary"),
    defaultText: "codex on PATH, else the installed package's",
    description: "The Codex binary.",
  }),
  /** Which `CODEX_HOME` the app-server has: the service's own, whose login is a link to the user's, or the user's. */
  homeMode: defineOption({
    env: "CODEX_NATIVE_API_CODEX_HOME_MODE",
    type: choice<CodexHomeMode>(["isolated", "user"]),
    default: "isolated",
    description:
      "isolated: the service has its own CODEX_HOME, which shares only the login with yours. user: it uses yours, as keyring logins need.",
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
  /** Whether Codex reaches OpenAI through a copy of its built-in provider that waits longer for a silent model. */
  patientProvider: defineOption({
    type: yesOrNo(),
    default: true,
    description:
      "1: tested versions of Codex reach OpenAI through a copy of their built-in provider that waits for a silent model for four fifths of turns.idleTimeoutMs. 0: through the built-in one, which gives up after 300 s and asks again.",
  }),
  /** Resident memory of an app-server over which a new one takes its place; 0: no bound. */
  maxAppServerRssBytes: defineOption({
    type: bytes(0, 1024 ** 4),
    default: defaults.codex.maxAppServerRssBytes,
    description:
      "Resident memory of an app-server, with the processes it has started, over which a new one takes the new turns and the old one ends after its own. 0: no bound.",
  }),
  /** CPU time of an app-server over an idle window, over which a new one takes its place; 0: no bound. */
  maxIdleCpuPercent: defineOption({
    type: integer(0, 100),
    default: defaults.codex.maxIdleCpuPercent,
    description:
      "CPU time of an app-server, in percent of one core over a whole codex.idleCpuWindowMs without turns, over which a new one takes its place in the same way. 0: no bound.",
  }),
  /** How long an app-server must have had nothing to do before its CPU time is judged. */
  idleCpuWindowMs: defineOption({
    type: milliseconds(1_000),
    default: defaults.codex.idleCpuWindowMs,
    description: "Time without turns over which the CPU time of an app-server is judged.",
  }),
};

/** How turns run, and their longest times. */
export const turnOptions = {
  /** Model when a request names none; null means the catalog's default. */
  defaultModel: defineOption({
    type: modelName(),
    defaultText: "the catalog's default",
    reloadable: true,
    description: "Model when a request names none.",
  }),
  profile: defineOption({
    env: "CODEX_NATIVE_API_TURN_PROFILE",
    type: choice(["lean", "codex"]),
    default: "lean",
    description: "lean: the model sees only the request. codex: it also sees Codex's own instructions.",
  }),
  /** Folders from which the turns of chat bridges may read files. */
  readableRoots: defineOption({
    type: folders({
      allowed:
        "absolute paths of folders, or paths that begin with ~/, none of them the whole file system, separated by commas",
      placeholder: "DIR,...",
      // Where the home directory is matters only to a path that leaves it.
      parse: (value) => (findRootFault(value.replace(/^~(?=\/)/, "/home")) === null ? value : null),
    }),
    default: [],
    description:
      "Folders below which the turns of chat bridges (metadata.codexbridge) may read text files, by a function that the service answers. Whoever may call the service may have them read.",
  }),
  /** A turn without any event for this long ends with `turn_stalled`, even while Codex runs it. */
  idleTimeoutMs: defineOption({
    env: "CODEX_NATIVE_API_TURN_IDLE_TIMEOUT_MS",
    type: milliseconds(1),
    default: 900_000,
    reloadable: true,
    description:
      "A turn without any event for this long ends with turn_stalled, even while Codex runs it. One that Codex no longer runs ends within a minute.",
  }),
  /** Other idle limits, by model id or by the request's reasoning effort; a model's limit wins over an effort's. */
  idleTimeoutsMs: defineOption({
    env: "CODEX_NATIVE_API_TURN_IDLE_TIMEOUTS_MS",
    type: millisecondsByName("model ids or reasoning efforts with a limit of their own: NAME=MS,NAME=MS"),
    default: {},
    reloadable: true,
    description:
      "Limits in place of turns.idleTimeoutMs, by model or by the request's effort; a model's limit wins over an effort's.",
  }),
  /** A turn older than this ends with `turn_timeout`. */
  timeoutMs: defineOption({
    env: "CODEX_NATIVE_API_TURN_TIMEOUT_MS",
    type: milliseconds(1),
    default: 1_800_000,
    reloadable: true,
    description: "A turn older than this ends with turn_timeout.",
  }),
  /** Most native threads started ahead of need; 0 starts each with its turn. */
  spareThreads: defineOption({
    type: integer(0, 64),
    default: defaults.turns.spareThreads,
    description:
      "Most native threads started ahead of need, for turns like earlier ones; 0 starts each with its turn.",
  }),
  /** Most concurrent turns on the account's backend; `auto` learns the limit. */
  upstreamLimit: defineOption({
    type: integerOr(["auto", "none"], 1, 100_000),
    default: "auto",
    description:
      "Most concurrent turns on the account's backend. auto: learned from what it accepts and refuses. none: callers get its refusals as they come.",
  }),
  /** Most connections of a ChatGPT account to its backend. */
  upstreamConnections: defineOption({
    type: integer(1, 100_000),
    default: defaults.turns.upstreamConnections,
    description:
      "Most connections of a ChatGPT account to its backend, for running and parked turns, spare threads and idle chains together.",
  }),
  upstreamConnectionsPerSecond: defineOption({
    type: integer(0, 100_000),
    default: defaults.turns.upstreamConnectionsPerSecond,
    description:
      "Most new connections of a ChatGPT account to its backend in a second; 0: as many as turns need.",
  }),
};

/** What names of models stand for. */
export const modelOptions = {
  /** Names of the service's own, beside those of Codex's catalog. */
  aliases: defineOption({
    env: "CODEX_NATIVE_API_MODEL_ALIASES",
    type: modelAliases(),
    default: {},
    reloadable: true,
    description:
      "Further names of models, each with the model, and the reasoning effort and service tier of requests that name none. An alias goes before a model of that name.",
  }),
};

/** What answers decisions. */
export const decisionOptions = {
  /** Model where a request names none, or `gpt-6-luna` and the catalog lacks it; null means the catalog's fastest. */
  model: defineOption({
    env: "CODEX_NATIVE_API_DECISIONS_MODEL",
    type: modelName(),
    defaultText: "the fastest of the catalog",
    reloadable: true,
    description:
      "Model of decisions that name none, or that name gpt-6-luna, the only model of OpenAI's, where Codex's catalog lacks it.",
  }),
  /** Of decisions whose model's name says none. A model that does not take it has its own. */
  effort: defineOption({
    env: "CODEX_NATIVE_API_DECISIONS_EFFORT",
    type: text({
      allowed: "the name of an effort, such as low or medium",
      placeholder: "EFFORT",
      parse: (value) => /^[a-z]{1,64}$/.exec(value)?.[0] ?? null,
    }),
    default: defaults.decisions.effort,
    reloadable: true,
    description:
      "Reasoning effort of decisions, where the name of their model says none and the model takes it.",
  }),
};

/** How many turns run and wait at once. */
export const admissionOptions = {
  /** Most turns that run at once. */
  maxConcurrentTurns: defineOption({
    type: integer(1, 100_000),
    default: 1000,
    reloadable: true,
    description: "Most turns that run at once.",
  }),
  /** Most turns between "sent" and "started" per app-server process: a larger burst makes Codex lose notifications. */
  startGate: defineOption({
    type: integer(1, 1000),
    default: 8,
    description:
      "Most turns between sent and started per app-server process; a larger burst makes Codex lose notifications.",
  }),
  /** Most turns that wait; one more is refused with `queue_full`. */
  maxQueue: defineOption({
    type: integer(0, 1_000_000),
    default: 2000,
    reloadable: true,
    description: "Most turns that wait; one more is refused with queue_full.",
  }),
  /** A turn that waited this long is refused with `queue_timeout`. */
  queueTimeoutMs: defineOption({
    type: milliseconds(1),
    default: 240_000,
    reloadable: true,
    description: "A turn that waited this long is refused with queue_timeout.",
  }),
};

function modelName() {
  return text({
    allowed: "a model's name without spaces",
    placeholder: "MODEL",
    parse: (value) => /^\S{1,200}$/.exec(value)?.[0] ?? null,
  });
}

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
