import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { CodexInstallation } from "./codex-installation.js";
import { LoginWatch } from "./login-watch.js";

export interface LoginFollowerOptions {
  readonly installation: Pick<CodexInstallation, "login" | "authFile" | "expectLogin">;
  /** Starts a new app-server, which reads the login there is then. */
  readonly rotate: (reason: string) => Promise<void>;
  /** A new app-server is being started for this reason, which is safe to show. */
  readonly onStartAgain: (reason: string, loginChanged: boolean) => void;
  readonly onFailed: (error: unknown) => void;
  readonly logger: Logger;
}

/** Pauses between tries to start an app-server with the login there is, doubled each time. */
const firstPauseMs = 250;
const maxPauseMs = 5_000;
/** How often an app-server is started again that does not see the login which is there. */
const maxUnseen = 2;

/** A running app-server keeps the login it started with, and only a new one sees another: this brings one until it does. */
export class LoginFollower {
  readonly #options: LoginFollowerOptions;
  readonly #watch: LoginWatch;
  readonly #over = new AbortController();
  #started = false;
  #following = false;
  #unseen = 0;

  constructor(options: LoginFollowerOptions) {
    this.#options = options;
    this.#watch = new LoginWatch(() => void this.#follow());
  }

  /**
   * Watches the login from now on. What changes while the first app-server starts is followed once that start is over, be it a
   * failed one.
   */
  async start(firstStart: Promise<unknown>): Promise<void> {
    await Promise.all([this.#watch.start(this.#options.installation.authFile), firstStart]);
    this.#started = true;
    await this.#follow();
  }

  stop(): void {
    this.#over.abort();
    this.#watch.stop();
  }

  /** The app-server says who is logged in, or that it needs no login. */
  noteSeen(): void {
    this.#unseen = 0;
  }

  /**
   * The app-server says that nobody is logged in. Starts another and answers true if the login file says that somebody is: it was
   * read at a bad moment. Answers false where that was tried, and the app-server is right.
   */
  startAgainIfUnseen(): boolean {
    if (!this.#started || this.#watch.login === null || this.#unseen === maxUnseen) return false;
    this.#unseen += 1;
    const { logger, onStartAgain, rotate, onFailed } = this.#options;
    logger.warn({ event: "codex.login_unseen" }, "Codex did not see the login; starting a new app-server");
    onStartAgain("Codex did not see its login; it is being started again.", false);
    rotate("Codex did not see its login.").catch(onFailed);
    return true;
  }

  async #follow(): Promise<void> {
    if (this.#following || !this.#started) return;
    this.#following = true;
    const { installation, logger, onStartAgain, rotate, onFailed } = this.#options;
    for (let pauseMs = firstPauseMs; this.#isOther(); pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
      logger.info({ event: "codex.login_changed" }, "the Codex login changed; starting a new app-server");
      onStartAgain("The Codex login changed; Codex is restarting with it.", true);
      installation.expectLogin(this.#watch.login !== null);
      await rotate("The Codex login changed.").catch(async (error: unknown) => {
        onFailed(error);
        await delay(pauseMs, undefined, { signal: this.#over.signal }).catch(() => {});
      });
    }
    this.#following = false;
  }

  /** Whether the latest app-server was prepared with another login than there is. */
  #isOther(): boolean {
    return !this.#over.signal.aborted && this.#options.installation.login !== this.#watch.login;
  }
}
