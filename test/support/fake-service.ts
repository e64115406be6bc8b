import type { CreateService, ProcessEvents, ServableService } from "../../src/main/cli/serve.js";

/** Signals and crashes sent by hand. */
export class FakeProcessEvents implements ProcessEvents {
  readonly #onSignal: ((signal: string) => void)[] = [];
  readonly #onCrash: ((error: unknown) => void)[] = [];

  onSignal(listener: (signal: string) => void): void {
    this.#onSignal.push(listener);
  }

  onCrash(listener: (error: unknown) => void): void {
    this.#onCrash.push(listener);
  }

  signal(name: string): void {
    for (const listener of this.#onSignal) listener(name);
  }

  crash(error: unknown): void {
    for (const listener of this.#onCrash) listener(error);
  }
}

/** A service that records what is asked of it; each step does what the test says, by default at once. */
export class FakeService implements ServableService {
  readonly calls: string[] = [];
  readonly #steps: Partial<Record<"start" | "stop" | "destroy", () => Promise<void>>>;

  constructor(steps: Partial<Record<"start" | "stop" | "destroy", () => Promise<void>>> = {}) {
    this.#steps = steps;
  }

  async start(): Promise<{ readonly url: string }> {
    await this.#take("start");
    return { url: "http://127.0.0.1:1" };
  }

  stop(): Promise<void> {
    return this.#take("stop");
  }

  destroy(): Promise<void> {
    return this.#take("destroy");
  }

  get create(): CreateService {
    return async () => this;
  }

  async #take(step: "start" | "stop" | "destroy"): Promise<void> {
    this.calls.push(step);
    await this.#steps[step]?.();
  }
}
