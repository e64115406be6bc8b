import { type StatsListener, unwatchFile, watchFile } from "node:fs";
import { loginPatienceMs, settleLogin } from "./login-file.js";

const pollIntervalMs = 1_000;

/**
 * Reports when `auth.json` contains another login. Polls, because the file gets replaced and may be on a file system without
 * change events. Neither a token refresh, which rewrites the file, nor a half-written file counts as another login.
 */
export class LoginWatch {
  readonly #onChange: () => void;
  #lifetime = new AbortController();
  #file: string | null = null;
  #login: string | null = null;
  #hasRead = false;
  #reading = false;
  #changedMeanwhile = false;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Digest of the login; null if logged out, and before the first read. */
  get login(): string | null {
    return this.#login;
  }

  /** Resolves after the first read. */
  async start(file: string): Promise<void> {
    if (this.#file !== null) return;
    this.#file = file;
    this.#lifetime = new AbortController();
    watchFile(file, { interval: pollIntervalMs, persistent: false }, this.#onFile);
    await this.#read(file);
  }

  /** Reads the file now. Resolves after that read, or at once while another runs or nothing is watched. */
  async look(): Promise<void> {
    if (this.#file !== null) await this.#read(this.#file);
  }

  stop(): void {
    if (this.#file !== null) unwatchFile(this.#file, this.#onFile);
    this.#lifetime.abort();
    this.#file = null;
  }

  readonly #onFile: StatsListener = () => {
    const file = this.#file;
    if (file !== null) void this.#read(file);
  };

  /** Reads the file, one read at a time. A change during a read causes another one after it. */
  async #read(file: string): Promise<void> {
    this.#changedMeanwhile = this.#reading;
    if (this.#reading) return;
    this.#reading = true;
    const { signal } = this.#lifetime;
    const expectsLogin = this.#login !== null;
    const login = await settleLogin({ file, expectsLogin, patienceMs: loginPatienceMs, signal }).catch(
      () => "stopped" as const,
    );
    this.#reading = false;
    if (login === "stopped") return;
    if (this.#changedMeanwhile) void this.#read(file);
    const hasChanged = this.#hasRead && login !== this.#login;
    this.#hasRead = true;
    this.#login = login;
    if (hasChanged) this.#onChange();
  }
}
