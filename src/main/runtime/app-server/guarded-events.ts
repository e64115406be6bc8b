import type {
  AppServerSupervisorEvents,
  DownAppServer,
  ReadyAppServer,
  RetiredAppServer,
} from "./supervisor-events.js";

/** A callback's fault is its owner's: it is reported, and does not stop the supervision. */
export class GuardedEvents implements AppServerSupervisorEvents {
  readonly #events: AppServerSupervisorEvents;

  constructor(events: AppServerSupervisorEvents) {
    this.#events = events;
  }

  readonly onReady = (server: ReadyAppServer): void => {
    this.#guard("app_server.on_ready_threw", () => this.#events.onReady(server));
  };

  readonly onDown = (server: DownAppServer): void => {
    this.#guard("app_server.on_down_threw", () => this.#events.onDown(server));
  };

  readonly onRetired = (server: RetiredAppServer): void => {
    this.#guard("app_server.on_retired_threw", () => this.#events.onRetired(server));
  };

  readonly onFault = (fault: string, cause: unknown): void => {
    this.#events.onFault(fault, cause);
  };

  #guard(fault: string, call: () => void): void {
    try {
      call();
    } catch (cause) {
      this.#events.onFault(fault, cause);
    }
  }
}
