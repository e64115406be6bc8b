import type { Logger } from "pino";
import { UpstreamConnections, type UpstreamConnectionsOptions } from "../admission/upstream-connections.js";
import type { NativeThreads } from "./native-threads.js";
import type { ParkedTurns } from "./parked-turns.js";
import type { SpareThreads } from "./spare-threads.js";

/** What holds connections to the backend. */
export interface NativeConnectionsContext extends Pick<UpstreamConnectionsOptions, "now" | "onRoom"> {
  /** Turns that run. */
  readonly running: () => number;
  /** Turns that wait and have a native thread. */
  readonly waiting: () => number;
  /** Turns that wait for a connection and that the account has room for. */
  readonly wanted: () => number;
  readonly parked: Pick<ParkedTurns<never>, "size" | "abandonOldest">;
  readonly threads: Pick<NativeThreads, "size" | "releaseOldest">;
  readonly spares: Pick<SpareThreads, "held" | "leaving" | "discardOne">;
  /** Threads that Codex has been asked to unload. */
  readonly slots: { readonly leavingThreads: number };
  readonly logger: Logger;
}

/**
 * The connections of native threads: each that ran a turn, or is set up for one, holds one until Codex has unloaded it. What stands by
 * gives its connection up for a turn that needs one: spares first, then threads of idle chains, at last turns that wait for their
 * caller. What these would have gone on with is replayed.
 */
export class NativeConnections extends UpstreamConnections {
  readonly #context: NativeConnectionsContext;

  constructor(
    options: Pick<UpstreamConnectionsOptions, "most" | "perSecond">,
    context: NativeConnectionsContext,
  ) {
    const { running, waiting, parked, threads, spares, slots, now, onRoom, logger } = context;
    super({
      ...options,
      now,
      onRoom,
      held: () => running() + waiting() + parked.size + threads.size + spares.held + slots.leavingThreads,
      onChange: (bound) => {
        const text = `the backend is believed to accept ${bound} concurrent connections`;
        logger.info({ event: "upstream_connections.changed", bound }, text);
      },
    });
    this.#context = context;
  }

  /** Whether a turn may begin that opens a connection; where not, room is being made, for all that wait for it, or comes with time. */
  makeRoom(): boolean {
    const { spares, threads, parked, slots, wanted } = this.#context;
    if (this.hasRoom) return this.isPaceKept;
    // What is on its way out makes room already.
    const most = Math.max(1, wanted());
    while (slots.leavingThreads + spares.leaving < most) {
      if (!spares.discardOne() && !threads.releaseOldest() && !parked.abandonOldest()) break;
    }
    return false;
  }
}
