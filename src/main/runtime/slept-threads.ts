import type { Logger } from "pino";
import type { IsolatedTurnsOptions } from "./isolated-turns-context.js";
import type { NativeThreads } from "./native-threads.js";
import type { ParkedTurns } from "./parked-turns.js";
import type { SpareThreads } from "./spare-threads.js";

interface SleptThreadsContext extends Pick<IsolatedTurnsOptions, "now" | "wallClock" | "bootClock"> {
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

/** Clocks run apart by less than this while a machine is awake and nobody sets them, in milliseconds. */
const toleranceMs = 10_000;

/**
 * Notices that one clock jumped against another: the wall clock where it was set, or the machine slept; the time since the machine was
 * started where it slept, since the monotonic clock stands then.
 */
export class ClockWatch {
  readonly #steady: () => number;
  readonly #other: () => number;
  #apartMs: number;

  /** Both in milliseconds. */
  constructor(steady: () => number, other: () => number) {
    this.#steady = steady;
    this.#other = other;
    this.#apartMs = other() - steady();
  }

  /** True once after each jump, in either direction. A clock that drifts jumps never, however long it does. */
  hasJumped(): boolean {
    const apartMs = this.#other() - this.#steady();
    const hasJumped = Math.abs(apartMs - this.#apartMs) > toleranceMs;
    this.#apartMs = apartMs;
    return hasJumped;
  }
}
