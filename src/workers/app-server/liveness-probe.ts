import { setImmediate } from "node:timers/promises";
import { CallTimeoutError, TransportError } from "./errors.js";

/** What the probe needs of a connection. */
export interface ProbedPeer {
  /** On the clock of `now`. */
  readonly lastInboundAt: number;
  /** Asks for a sign of life; a `CallTimeoutError` means there was none. Any other outcome is one. */
  ask(timeoutMs: number): Promise<unknown>;
  /** The peer is taken for hung. */
  drop(error: TransportError): void;
}

export interface LivenessProbeOptions {
  /** Silence after which the peer is asked. */
  readonly idleMs: number;
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly countFault: (name: string) => void;
}

/** Notices a peer that keeps its socket open and says nothing: such a one is not seen by any close event. */
export class LivenessProbe {
  readonly #options: LivenessProbeOptions;
  readonly #peer: ProbedPeer;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  #suspected = false;
  #lastCheck = 0;

  constructor(peer: ProbedPeer, options: LivenessProbeOptions) {
    this.#peer = peer;
    this.#options = options;
  }

  start(): void {
    const { idleMs, now } = this.#options;
    const silentMs = now() - this.#peer.lastInboundAt;
    this.#timer = setTimeout(() => void this.#check(), Math.max(1, idleMs - silentMs));
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** A call was not answered: whatever else the peer says, it may have stopped to listen. Asks now; only an answer counts. */
  suspect(): void {
    if (this.#stopped || this.#suspected) return;
    this.#suspected = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    void this.#check();
  }

  async #check(): Promise<void> {
    const { idleMs, now } = this.#options;
    this.#lastCheck += 1;
    const check = this.#lastCheck;
    const suspected = this.#suspected;
    const silent = now() - this.#peer.lastInboundAt >= idleMs;
    const alive = (!silent && !suspected) || (await this.#answers(suspected));
    // A suspicion that came up meanwhile has a check of its own.
    if (this.#stopped || check !== this.#lastCheck) return;
    this.#suspected = false;
    if (alive) {
      this.start();
      return;
    }
    this.#options.countFault("peer_hung");
    this.#peer.drop(
      new TransportError(`the app-server gave no sign of life for ${this.#options.timeoutMs} ms`),
    );
  }

  async #answers(suspected: boolean): Promise<boolean> {
    const askedAt = this.#options.now();
    try {
      await this.#peer.ask(this.#options.timeoutMs);
      return true;
    } catch (error) {
      if (!(error instanceof CallTimeoutError)) return true;
      if (suspected) return false;
      // After a suspended machine or a blocked thread, timers fire before what lies in the socket is read.
      await setImmediate();
      return this.#peer.lastInboundAt > askedAt;
    }
  }
}
