import { setTimeout as delay } from "node:timers/promises";
import { createDeferred } from "../contract/wait.js";
import { connectionLimits } from "./connection-limits.js";
import { ConnectionLostError } from "./errors.js";
import { LivenessProbe, type LivenessProbeOptions } from "./liveness-probe.js";
import { callMethod, type Session } from "./session.js";

/** When a silent peer is asked, counts as silent, and is dropped. */
export type ProbeTimes = Pick<LivenessProbeOptions, "idleMs" | "silentMs" | "timeoutMs">;

export interface DialOptions {
  readonly signal: AbortSignal;
  /** Called once for each wire that opened, before or after the dial resolves. */
  readonly onClose: (error: ConnectionLostError | null) => void;
  readonly answersSince: (time: number) => Promise<boolean>;
}

export interface SessionKeeperOptions {
  /** Opens a wire and shakes hands. */
  readonly dial: (options: DialOptions) => Promise<Session>;
  readonly backoff: BackoffOptions;
  readonly probe: ProbeTimes;
  readonly now: () => number;
  readonly countFault: (name: string) => void;
  readonly onReady: (session: Session, reconnected: boolean) => void;
  /** After each `onReady`, once. `planned` when `stop` was called. */
  readonly onLost: (error: ConnectionLostError, planned: boolean) => void;
  readonly onDialFailed: (error: unknown) => void;
  /** False: the peer has left a probe unanswered for a while. True: it has answered one since. */
  readonly onAnswering: (answers: boolean) => void;
}

/** Keeps one endpoint connected: dials until it answers, holds the session, dials again when the wire breaks. */
export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  readonly #backoff: Backoff;
  readonly #abort = new AbortController();
  #session: Session | null = null;
  #probe: LivenessProbe | null = null;
  #lossesSeen = 0;
  #done: Promise<void> | null = null;

  constructor(options: SessionKeeperOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff);
  }

  /** The session while its handshake is done and its wire holds. */
  get session(): Session | null {
    return this.#session;
  }

  /** Whether the session has answered a probe sent at this time or later; sends one if need be. Never rejects. */
  async answersSince(time: number): Promise<boolean> {
    return (await this.#probe?.answersSince(time)) ?? false;
  }

  /** Probes the session's peer: `onAnswering` or `onLost` reports the result. False without a session. */
  markSuspect(): boolean {
    this.#probe?.markSuspect();
    return this.#probe !== null;
  }

  /** @param after the end of an older session: two of our processes on one login would race for its token. */
  start(after: Promise<void>): void {
    this.#done ??= after.then(() => this.#run());
  }

  /** Resolves when the wire is released and dialling has ended. Repeated calls join the first. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#session?.client.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      await this.#dialAndHold();
      // An abort ends the wait early, and the loop with it.
      if (!signal.aborted) await delay(this.#backoff.nextDelayMs(), undefined, { signal }).catch(() => {});
    }
  }

  async #dialAndHold(): Promise<void> {
    const { dial, now, onReady, onLost, onDialFailed } = this.#options;
    const { signal } = this.#abort;
    const lost = createDeferred<void>();
    let closed: ConnectionLostError | null = null;
    const onClose = (error: ConnectionLostError | null) => {
      closed = error ?? new ConnectionLostError("the connection was closed on purpose", "");
      lost.resolve();
      if (this.#session === null) return;
      this.#session = null;
      this.#lossesSeen += 1;
      onLost(closed, signal.aborted);
    };
    let session: Session;
    try {
      session = await dial({ signal, onClose, answersSince: (time) => this.answersSince(time) });
      // The wire may have broken between the last message of the handshake and this line.
      if (closed !== null) throw closed;
    } catch (error) {
      if (!signal.aborted) onDialFailed(error);
      return;
    }
    if (signal.aborted) {
      await session.client.close();
      return;
    }
    const readyAt = now();
    const probe = this.#createProbe(session);
    this.#session = session;
    this.#probe = probe;
    probe.start();
    onReady(session, this.#lossesSeen > 0);
    await lost.promise;
    probe.stop();
    this.#probe = null;
    // Waits until the old process has ended, before the next dial starts another.
    await session.client.close();
    if (now() - readyAt >= connectionLimits.stableAfterMs) this.#backoff.reset();
  }

  #createProbe({ client }: Session): LivenessProbe {
    const { probe, now, countFault, onAnswering } = this.#options;
    return new LivenessProbe(
      {
        get lastInboundAt() {
          return client.lastInboundAt;
        },
        // The cheapest call that every version of Codex knows: it reads one map, and touches no account, disk or network.
        ask: (timeoutMs) =>
          callMethod(client, "thread/loaded/list", { limit: 1 }, { timeoutMs, isProbe: true }),
        noteAnswering: onAnswering,
        drop: (error) => void client.destroy(error),
      },
      { ...probe, now, countFault },
    );
  }
}

export interface BackoffOptions {
  readonly minMs: number;
  readonly maxMs: number;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Delays that double up to a bound, each drawn from its upper half so that workers do not dial in step. */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  nextDelayMs(): number {
    const { minMs, maxMs, random } = this.#options;
    const ceilingMs = Math.min(maxMs, minMs * 2 ** this.#attempt);
    if (ceilingMs < maxMs) this.#attempt += 1;
    return ceilingMs * (0.5 + random() / 2);
  }

  reset(): void {
    this.#attempt = 0;
  }
}
