import type { HangTimes } from "./hang-watch.js";
import type { Dial } from "./pool/worker-slots.js";
import type { AppServerHealth } from "./types.js";

/** Which app-server the workers talk to, and whose it is. */
export type AppServerTransport =
  /** One process of ours for all workers, on a private unix socket. */
  | { readonly kind: "shared" }
  /** Each worker spawns a process of its own. */
  | { readonly kind: "stdio" }
  /** A running app-server of someone else's, never stopped by us. */
  | { readonly kind: "unix"; readonly socketPath: string }
  | { readonly kind: "tcp"; readonly url: string };

export interface AppServerSourceEvents {
  /** Where workers shall connect from now on. */
  readonly onDial: (dial: Dial) => void;
  /** There is no app-server now. `blocked` says that it will not come back within moments. */
  readonly onDown: (down: { readonly reason: string; readonly blocked: boolean }) => void;
}

/** Brings the app-server that a transport calls for, and keeps it there. */
export interface AppServerSource {
  /** Resolves when the first app-server can be dialled; rejects with why not, and goes on trying until it is closed. */
  start(): Promise<void>;
  /** Replaces the app-server by a new generation, which ends the old one with all that runs on it. */
  restart(reason: string): Promise<void>;
  /** Starts a new generation beside the old one, which finishes what it began until it is released. */
  rotate(reason: string): Promise<void>;
  /** Nothing runs on an old generation any more. */
  release(appServerGeneration: number): void;
  /** Nothing starts from here on, and what was started has ended when this resolves. */
  close(): Promise<void>;
  /** Whether there is a process that workers could be answered by, as far as is known. */
  readonly isUp: boolean;
  /** When one that answers no worker is replaced; null for one that is not ours to end. */
  readonly hangTimes: HangTimes | null;
  /** What this transport goes without, by name. */
  readonly degraded: readonly string[];
  health(): Omit<AppServerHealth, "loadedThreads">;
}
