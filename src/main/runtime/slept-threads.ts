import type { Logger } from "pino";
import { ClockWatch } from "./clock-watch.js";
import type { IsolatedTurnsOptions } from "./isolated-turns-context.js";
import type { NativeThreads } from "./native-threads.js";
import type { ParkedTurns } from "./parked-turns.js";
import type { SpareThreads } from "./spare-threads.js";

export interface SleptThreadsContext extends Pick<IsolatedTurnsOptions, "now" | "wallClock" | "bootClock"> {
  readonly spares: Pick<SpareThreads, "discardAll">;
  readonly threads: Pick<NativeThreads, "releaseAll">;
  readonly parked: Pick<ParkedTurns<never>, "abandonAll">;
  readonly logger: Logger;
}

/**
 * What stands by while the machine sleeps has no connection any more, and nobody says so: what is sent over one waits until TCP gives
 * up. Chains and parked turns go on by replay. Spares cost nobody anything, so these go also where only the wall clock jumped.
 */
export class SleptThreads {
  readonly #context: SleptThreadsContext;
  readonly #wallClock: ClockWatch;
  readonly #bootClock: ClockWatch;

  constructor(context: SleptThreadsContext) {
    this.#context = context;
    this.#wallClock = new ClockWatch(context.now, context.wallClock);
    this.#bootClock = new ClockWatch(context.now, context.bootClock);
  }

  /** Call it before any of them is used. */
  discard(): void {
    const [hasSlept, hasJumped] = [this.#bootClock.hasJumped(), this.#wallClock.hasJumped()];
    if (!hasSlept && !hasJumped) return;
    const { spares, threads, parked, logger } = this.#context;
    const event = "native_threads.clock_jumped";
    logger.info({ event, hasSlept }, "a clock jumped: threads that stood by are given up");
    spares.discardAll();
    if (!hasSlept) return;
    threads.releaseAll();
    parked.abandonAll();
  }
}
