import type { CreateService, ProcessEvents, ServableService } from "../../src/main/cli/cli-context.js";
import type { CodexNativeApiConfig } from "../../src/main/config/types.js";
import type { Readiness } from "../../src/main/runtime/types.js";

/** Signals and crashes sent by hand. */
export class FakeProcessEvents implements ProcessEvents {
  readonly #onSignal: ((signal: string) => void)[] = [];
  readonly #onHangup: ((isTerminalGone: boolean) => void)[] = [];
  readonly #onCrash: ((error: unknown) => void)[] = [];

  onSignal(listener: (signal: string) => void): void {
    this.#onSignal.push(listener);
  }

  onCrash(listener: (error: unknown) => void): void {
    this.#onCrash.push(listener);
  }

  onHangup(listener: (isTerminalGone: boolean) => void): void {
    this.#onHangup.push(listener);
  }

  hangUp(isTerminalGone: boolean): void {
    for (const listener of this.#onHangup) listener(isTerminalGone);
  }

  signal(name: string): void {
    for (const listener of this.#onSignal) listener(name);
  }

  crash(error: unknown): void {
    for (const listener of this.#onCrash) listener(error);
  }
}

type Step = "start" | "stop" | "destroy" | "reload";

/** A service that records what is asked of it; each step does what the test says, by default at once. */
export class FakeService implements ServableService {
  readonly calls: string[] = [];
  /** Those it was told to take by reloads. */
  readonly configs: CodexNativeApiConfig[] = [];
  readonly #steps: Partial<Record<Step, () => Promise<void>>>;

  constructor(steps: Partial<Record<Step, () => Promise<void>>> = {}) {
    this.#steps = steps;
  }

  async start(): Promise<{ readonly url: string }> {
    await this.#take("start");
    return { url: "http://127.0.0.1:1" };
  }

  async untilSettled(): Promise<Readiness> {
    return { ready: true };
  }

  stop(): Promise<void> {
    return this.#take("stop");
  }

  reload(config: CodexNativeApiConfig): Promise<void> {
    this.configs.push(config);
    return this.#take("reload");
  }

  destroy(): Promise<void> {
    return this.#take("destroy");
  }

  get create(): CreateService {
    return async () => this;
  }

  async #take(step: Step): Promise<void> {
    this.calls.push(step);
    await this.#steps[step]?.();
  }
}
