import { setImmediate } from "node:timers/promises";
import { CallTimeoutError, TransportError } from "./errors.js";

/** What the probe needs of a connection. */
export interface ProbedPeer {
  /** On the clock of `now`. */
  readonly lastInboundAt: number;
  /** Asks for a sign of life; a `CallTimeoutError` means there was none. Any other outcome is one. */
  ask(timeoutMs: number): Promise<unknown>;
  /** With false: the peer has not answered for a while. With true: a silent or suspected one has answered. */
  noteAnswering(answers: boolean): void;
  /** The peer is taken for hung. */
  drop(error: TransportError): void;
}

export interface LivenessProbeOptions {
  /** Silence after which the peer is asked. */
  readonly idleMs: number;
  /** How long its answer may take before it counts as silent: such a peer gets no new work. */
  readonly silentMs: number;
  /** How long its answer may take before the connection is dropped. More than `silentMs`: a paused process may go on. */
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly countFault: (name: string) => void;
}

/** Notices a peer that keeps its socket open and says nothing: such a one is not seen by any close event. */
export class LivenessProbe {
  readonly #options: LivenessProbeOptions;
  readonly #peer: ProbedPeer;
  #timer: NodeJS.Timeout | null = null;
  #silentTimer: NodeJS.Timeout | null = null;
  #stopped = false;
  #suspected = false;
  #suspectedAgain = false;
  #saidSilent = false;
  #lastCheck = 0;

  constructor(peer: ProbedPeer, options: LivenessProbeOptions) {
    this.#options = options;
    this.#peer = peer;
  }

  start(): void {
    const { idleMs, now } = this.#options;
    const silentMs = now() - this.#peer.lastInboundAt;
    this.#timer = setTimeout(() => void this.#check(), Math.max(1, idleMs - silentMs));
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#clearSilentTimer();
  }

  /**
   * The peer may have stopped to listen, whatever else it says: a call was not answered, or a turn on the same process broke.
   * Asks now; only an answer counts.
   */
  suspect(): void {
    if (this.#stopped) return;
    // An answer that is under way may be from before: it is followed by another question.
    this.#suspectedAgain = this.#suspected;
    if (this.#suspected) return;
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
    const askAgain = alive && this.#suspectedAgain;
    this.#suspected = false;
    this.#suspectedAgain = false;
    if (askAgain) return this.suspect();
    if (alive) {
      if (suspected || this.#saidSilent) this.#peer.noteAnswering(true);
      this.#saidSilent = false;
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
    const isHeard = () => !suspected && this.#peer.lastInboundAt > askedAt;
    this.#clearSilentTimer();
    const silentTimer = setTimeout(
      () => void this.#noteSilence(silentTimer, isHeard),
      this.#options.silentMs,
    );
    this.#silentTimer = silentTimer;
    try {
      await this.#peer.ask(this.#options.timeoutMs);
      return true;
    } catch (error) {
      if (!(error instanceof CallTimeoutError)) return true;
      if (suspected) return false;
      // After a suspended machine or a blocked thread, timers fire before what lies in the socket is read.
      await setImmediate();
      return isHeard();
    } finally {
      if (this.#silentTimer === silentTimer) this.#clearSilentTimer();
    }
  }

  async #noteSilence(timer: NodeJS.Timeout, isHeard: () => boolean): Promise<void> {
    await setImmediate();
    // Answered, or asked again, in this round of the loop.
    if (this.#silentTimer !== timer || isHeard()) return;
    this.#options.countFault("peer_silent");
    this.#saidSilent = true;
    this.#peer.noteAnswering(false);
  }

  #clearSilentTimer(): void {
    if (this.#silentTimer !== null) clearTimeout(this.#silentTimer);
    this.#silentTimer = null;
  }
}
