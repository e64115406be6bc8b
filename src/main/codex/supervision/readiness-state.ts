import type { TurnErrorData } from "../../../workers/contract/errors.js";
import { createDeferred, waitWithin } from "../../../workers/contract/wait.js";
import type { Readiness } from "../../runtime/types.js";

/** Whether the runtime can run turns. */
export type ReadinessPhase =
  /** Not started, or closed. */
  | "stopped"
  /** An app-server is starting or a worker is connecting; likely ready in a moment. */
  | "recovering"
  /** Turns can run. */
  | "ready"
  /** Somebody must act first (log in, install Codex), or the restarts are used up for now. */
  | "blocked";

/** Holds whether turns can run and, if not, why. Notifies listeners of each change. */
export class ReadinessState {
  #phase: ReadinessPhase = "stopped";
  #error: TurnErrorData = unavailable("The service is not started.");
  readonly #listeners = new Set<(phase: ReadinessPhase) => void>();

  get phase(): ReadinessPhase {
    return this.#phase;
  }

  get current(): Readiness {
    return this.#phase === "ready" ? { ready: true } : { ready: false, error: this.#error };
  }

  setReady(): void {
    this.#set("ready");
  }

  setRecovering(reason: string): void {
    this.#error = unavailable(reason);
    this.#set("recovering");
  }

  setBlocked(error: TurnErrorData): void {
    this.#error = error;
    this.#set("blocked");
  }

  setStopped(): void {
    this.#error = unavailable("The service is stopped.");
    this.#set("stopped");
  }

  onChange(listener: (phase: ReadinessPhase) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when the runtime is ready, blocked or stopped, or after `timeoutMs`. Never rejects. */
  async settled(timeoutMs: number): Promise<Readiness> {
    if (this.#phase !== "recovering") return this.current;
    const settled = createDeferred<void>();
    const stopListening = this.onChange((phase) => {
      if (phase !== "recovering") settled.resolve();
    });
    await waitWithin(settled.promise, { timeoutMs }, () => {});
    stopListening();
    return this.current;
  }

  #set(phase: ReadinessPhase): void {
    this.#phase = phase;
    for (const listener of [...this.#listeners]) listener(phase);
  }
}

function unavailable(message: string): TurnErrorData {
  return { code: "native_runtime_unavailable", message, retryAfterMs: 1000 };
}
