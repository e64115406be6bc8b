import type { AppServerSource } from "./app-server-source.js";
import { SocketDirectoryRefused } from "./codex-socket-directory.js";
import { closingError } from "./unavailable.js";

export interface SourceInForceOptions {
  readonly source: AppServerSource;
  /** Makes the source that takes the place of one whose socket directory Codex refuses. */
  readonly createFallback: (refused: AppServerSource) => AppServerSource;
  readonly onFallback: (fault: string) => void;
  /** An old app-server did not end. */
  readonly onReleaseFailed: (error: unknown) => void;
}

/**
 * The app-server source in force: the configured one, or its fallback once Codex has refused its socket directory. The fallback stays
 * until the service restarts, since somebody must repair the directory first.
 */
export class SourceInForce {
  readonly #options: SourceInForceOptions;
  #current: AppServerSource;
  /** The shared source that Codex refused a socket directory for; `#current` has replaced it. */
  #refused: AppServerSource | null = null;
  #fallingBack: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: SourceInForceOptions) {
    this.#options = options;
    this.#current = options.source;
  }

  get current(): AppServerSource {
    return this.#current;
  }

  /** Calls the source; if Codex refuses its socket directory, switches to the fallback. */
  async use(act: (source: AppServerSource) => Promise<void>): Promise<void> {
    const source = this.#current;
    try {
      await act(source);
    } catch (error) {
      if (!(error instanceof SocketDirectoryRefused)) throw error;
      await this.fallBack(error, source);
    }
  }

  /** A second call joins the first. */
  fallBack({ fault }: SocketDirectoryRefused, refused = this.#current): Promise<void> {
    this.#fallingBack ??= this.#startFallback(fault, refused);
    return this.#fallingBack;
  }

  /** Ends a retired generation that has no turns left. */
  release(generation: number): void {
    this.#current.release(generation).catch(this.#options.onReleaseFailed);
  }

  /** No fallback starts from here on. */
  stop(): void {
    this.#isClosed = true;
  }

  async close(): Promise<void> {
    this.stop();
    await Promise.all([this.#current.close(), this.#refused?.close()]);
  }

  async #startFallback(fault: string, refused: AppServerSource): Promise<void> {
    if (this.#isClosed) throw closingError();
    this.#options.onFallback(fault);
    this.#current = this.#options.createFallback(refused);
    this.#refused = refused;
    // The refused source must start nothing more.
    void refused.close();
    await this.#current.start();
  }
}
