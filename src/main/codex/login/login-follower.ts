import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { CodexInstallation } from "../supervision/codex-installation.js";
import { LoginTakeover, type TakeoverOutcome } from "./login-takeover.js";
import { LoginWatch } from "./login-watch.js";

export interface LoginFollowerOptions {
  readonly installation: Pick<CodexInstallation, "login" | "tokens" | "authFile" | "expectLogin">;
  /** Generation of the app-server that turns run on. */
  readonly generation: () => number;
  /** Starts a new app-server, which reads the current login. */
  readonly rotate: (reason: string) => Promise<void>;
  /** Called before a new app-server starts. The reason is safe to show to callers. */
  readonly onRestart: (reason: string, loginChanged: boolean) => void;
  readonly onFailed: (error: unknown) => void;
  readonly logger: Logger;
}

/** Pauses between failed attempts to start an app-server with the current login; each pause doubles. */
const firstPauseMs = 250;
const maxPauseMs = 5_000;
/** How often to restart an app-server that does not see the existing login. */
const maxUnseenRestarts = 2;

/** Starts a new app-server when the login changes, because a running one keeps the login that it started with. */
export class LoginFollower {
  readonly #options: LoginFollowerOptions;
  readonly #watch: LoginWatch;
  readonly #lifetime = new AbortController();
  readonly #takeover: LoginTakeover;
  #started = false;
  #following: Promise<void> | null = null;
  #unseenRestarts = 0;

  constructor(options: LoginFollowerOptions) {
    this.#options = options;
    this.#watch = new LoginWatch(() => void this.#follow());
    this.#takeover = new LoginTakeover({
      ...options,
      followChange: async () => {
        await this.#watch.look();
        await this.#follow();
      },
      signal: this.#lifetime.signal,
      now: () => performance.now(),
    });
  }

  /** How often a new app-server took over since another Codex had refreshed the login, and whether the backend refuses the login now. */
  get health(): Pick<LoginTakeover, "count" | "isRefused"> {
    return this.#takeover;
  }

  /** Call when an app-server that was prepared last is ready to take the turns. */
  noteAppServerReady(): void {
    this.#takeover.noteAppServerReady();
  }

  /** Call when the model has answered a turn. */
  noteAnswered(): void {
    this.#takeover.noteAnswered();
  }

  /** Call when a turn on an app-server of this generation was refused for its login. Never rejects. */
  async takeOver(generation: number): Promise<TakeoverOutcome> {
    return this.#started && this.#watch.login !== null ? this.#takeover.after(generation) : "refused";
  }

  /**
   * Starts to watch the login. A change during the start of the first app-server is handled once that start has finished or
   * failed.
   */
  async start(firstStart: Promise<unknown>): Promise<void> {
    await Promise.all([this.#watch.start(this.#options.installation.authFile), firstStart]);
    this.#started = true;
    await this.#follow();
  }

  stop(): void {
    this.#lifetime.abort();
    this.#watch.stop();
  }

  /** Call when the app-server has reported its account, or that it needs no login. */
  noteLoginSeen(): void {
    this.#unseenRestarts = 0;
  }

  /**
   * Call when the app-server reports that it is logged out. If the login file contains a login, the app-server read it at a
   * bad moment: starts another one and returns true. Returns false if there is no login, or after `maxUnseenRestarts` attempts.
   */
  restartIfLoginUnseen(): boolean {
    if (!this.#started || this.#watch.login === null || this.#unseenRestarts === maxUnseenRestarts)
      return false;
    this.#unseenRestarts += 1;
    const { logger, onRestart, rotate, onFailed } = this.#options;
    logger.warn({ event: "codex.login_unseen" }, "Codex did not see the login; starting a new app-server");
    onRestart("Codex did not see its login; Codex is restarting.", false);
    rotate("Codex did not see its login.").catch(onFailed);
    return true;
  }

  /** A further call joins the first. */
  #follow(): Promise<void> {
    if (!this.#started) return Promise.resolve();
    this.#following ??= this.#rotateUntilFollowed().finally(() => {
      this.#following = null;
    });
    return this.#following;
  }

  async #rotateUntilFollowed(): Promise<void> {
    const { installation, logger, onRestart, rotate, onFailed } = this.#options;
    for (let pauseMs = firstPauseMs; this.#hasLoginChanged(); pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
      logger.info({ event: "codex.login_changed" }, "the Codex login changed; starting a new app-server");
      onRestart("The Codex login changed; Codex is restarting with it.", true);
      installation.expectLogin(this.#watch.login !== null);
      await rotate("The Codex login changed.").catch(async (error: unknown) => {
        onFailed(error);
        await delay(pauseMs, undefined, { signal: this.#lifetime.signal }).catch(() => {});
      });
    }
  }

  /** Whether the latest app-server was prepared with a login other than the current one. */
  #hasLoginChanged(): boolean {
    return !this.#lifetime.signal.aborted && this.#options.installation.login !== this.#watch.login;
  }
}
