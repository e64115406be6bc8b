import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { CodexInstallation } from "../supervision/codex-installation.js";
import { type LoginDigests, loginPatienceMs, readLoginDigests } from "./login-file.js";

/** What became of a login that a turn was refused for. */
export type TakeoverOutcome =
  /** A newer app-server has taken over, or has the login that replaced this one: the turn can be run again. */
  | "replaced"
  /** The login file itself is bad: somebody must log in. */
  | "refused"
  /** A new app-server could not be started; it may be later. */
  | "failed";

interface LoginTakeoverOptions {
  readonly installation: Pick<CodexInstallation, "login" | "tokens" | "authFile">;
  /** Generation of the app-server that turns run on. */
  readonly generation: () => number;
  /** Starts a new app-server beside the old one. */
  readonly rotate: (reason: string) => Promise<void>;
  /** Starts an app-server with the login of somebody else, or without one, that is in the file now. */
  readonly followChange: () => Promise<void>;
  readonly signal: AbortSignal;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
}

const pollMs = 100;
/**
 * Most takeovers in a time, in milliseconds. Codexes meet once in the life of a token; a backend that refuses what its own issuer has just
 * issued would have app-servers replaced without an end.
 */
const bound = { takeovers: 3, withinMs: 10 * 60_000 } as const;
/** After a takeover that failed. Each try starts a process, and turns that are run again ask at once. */
const pauseMs = 5_000;
const reason = "The login file has newer tokens than the app-server started with.";

/**
 * Codex refreshes its login without a lock between processes, and each refresh token works once. If the user's own Codex was first, the
 * backend refuses ours, although the login file has, or soon has, the winner's tokens. Then a new app-server takes over with those.
 */
export class LoginTakeover {
  readonly #options: LoginTakeoverOptions;
  #running: Promise<TakeoverOutcome> | null = null;
  /** When the last ones succeeded, by the clock of `now`. */
  #times: readonly number[] = [];
  /** Not before then, because the last one failed. */
  #nextAtMs = Number.NEGATIVE_INFINITY;
  #count = 0;
  /** What the app-server in use started with. One that is being prepared, or could not be started, was prepared with another. */
  #held: LoginDigests = { login: null, tokens: null };
  /** The tokens that were found to be bad; null while the login works, as far as is known. */
  #refused: Pick<LoginDigests, "tokens"> | null = null;

  constructor(options: LoginTakeoverOptions) {
    this.#options = options;
  }

  /** Takeovers since the start. */
  get count(): number {
    return this.#count;
  }

  /** Whether the backend refuses the login in the file, and no turn was answered since. */
  get isRefused(): boolean {
    return this.#refused !== null;
  }

  /** Call when the app-server that was prepared last is ready to take the turns. */
  noteAppServerReady(): void {
    const { login, tokens } = this.#options.installation;
    this.#held = { login, tokens };
  }

  /** Call when the model has answered a turn. */
  noteAnswered(): void {
    this.#refused = null;
  }

  /**
   * Call when a turn on an app-server of this generation was refused for its login. Equal calls meanwhile share one takeover. Never
   * rejects.
   */
  after(generation: number): Promise<TakeoverOutcome> {
    if (generation < this.#options.generation()) return Promise.resolve("replaced");
    this.#running ??= this.#run(generation).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(generation: number): Promise<TakeoverOutcome> {
    const { installation, followChange, signal, logger } = this.#options;
    try {
      // The winner may still wait for its tokens, or be writing them.
      for (let leftMs = loginPatienceMs; ; leftMs -= pollMs) {
        const found = await readLoginDigests(installation.authFile);
        signal.throwIfAborted();
        if (found !== null && found.login !== this.#held.login) await followChange();
        if (this.#options.generation() > generation) return "replaced";
        const tokens = found?.tokens ?? null;
        if (tokens !== null && tokens !== this.#held.tokens) return await this.#takeOver(generation, tokens);
        if (leftMs <= 0 || (found !== null && (tokens === null || tokens === this.#refused?.tokens)))
          return this.#refuse(generation, tokens);
        if (leftMs === loginPatienceMs)
          logger.info(
            { event: "codex.login_awaited", generation },
            "the backend refused the login; waiting whether another Codex is refreshing it",
          );
        await delay(pollMs, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted)
        logger.warn(
          { event: "codex.login_takeover_failed", generation, err: error },
          "no app-server could be started with the newer login; the old one stays in use",
        );
      return "failed";
    }
  }

  async #takeOver(generation: number, tokens: string): Promise<TakeoverOutcome> {
    const { now, logger, rotate } = this.#options;
    const nowMs = now();
    if (nowMs < this.#nextAtMs) return "failed";
    this.#times = this.#times.filter((atMs) => nowMs - atMs < bound.withinMs);
    if (this.#times.length >= bound.takeovers) return this.#refuse(generation, tokens);
    logger.warn(
      { event: "codex.login_takeover", reason, generation },
      "another Codex has refreshed the login; starting a new app-server with its tokens",
    );
    this.#nextAtMs = nowMs + pauseMs;
    await rotate(reason);
    this.#nextAtMs = Number.NEGATIVE_INFINITY;
    this.#times = [...this.#times, nowMs];
    this.#count += 1;
    this.#refused = null;
    return "replaced";
  }

  #refuse(generation: number, tokens: string | null): TakeoverOutcome {
    const { logger } = this.#options;
    if (this.#refused?.tokens !== tokens)
      logger.warn(
        { event: "codex.login_refused", generation, takeovers: this.#times.length },
        "the backend refuses the Codex login; log in again with `codex login`",
      );
    this.#refused = { tokens };
    return "refused";
  }
}
