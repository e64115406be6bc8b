import { type StatsListener, unwatchFile, watchFile } from "node:fs";
import { loginPatienceMs, settleLogin } from "./app-server/login-file.js";

const pollIntervalMs = 1_000;

/**
 * Says when `auth.json` speaks of another login. Polled, since the file is replaced and may be on a file system without change
 * events. A token refresh rewrites the file too and is no other login, and neither is a file that is half-written.
 */
export class LoginWatch {
  readonly #onChange: () => void;
  #over = new AbortController();
  #file: string | null = null;
  #login: string | null = null;
  #looked = false;
  #reading = false;
  #changedMeanwhile = false;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Who is logged in, as a digest; null for nobody, and before the first look. */
  get login(): string | null {
    return this.#login;
  }

  /** Resolves after the first look. */
  async start(file: string): Promise<void> {
    if (this.#file !== null) return;
    this.#file = file;
    this.#over = new AbortController();
    watchFile(file, { interval: pollIntervalMs, persistent: false }, this.#onFile);
    await this.#read(file);
  }

  stop(): void {
    if (this.#file !== null) unwatchFile(this.#file, this.#onFile);
    this.#over.abort();
    this.#file = null;
  }

  readonly #onFile: StatsListener = () => {
    const file = this.#file;
    if (file !== null) void this.#read(file);
  };

  /** One at a time: a later change is read after what it interrupts. */
  async #read(file: string): Promise<void> {
    this.#changedMeanwhile = this.#reading;
    if (this.#reading) return;
    this.#reading = true;
    const { signal } = this.#over;
    const expectsLogin = this.#login !== null;
    const login = await settleLogin({ file, expectsLogin, patienceMs: loginPatienceMs, signal }).catch(
      () => "stopped" as const,
    );
    this.#reading = false;
    if (login === "stopped") return;
    if (this.#changedMeanwhile) void this.#read(file);
    const isNews = this.#looked && login !== this.#login;
    this.#looked = true;
    this.#login = login;
    if (isNews) this.#onChange();
  }
}
