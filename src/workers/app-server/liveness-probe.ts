import { setImmediate } from "node:timers/promises";
import { BadAnswerError, CallTimeoutError, RpcError, TransportError } from "./errors.js";

/** What the probe needs of a connection. */
export interface ProbedPeer {
  /** On the clock of `now`. */
  readonly lastInboundAt: number;
  /** Asks for a sign of life. Any answer is one, also an error or one that cannot be read; a `CallTimeoutError` means there was none. */
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

/** What came of one question. `talking`: no answer, but other messages came meanwhile. `failed`: it could not be asked. */
type Sign = "answered" | "talking" | "silent" | "failed";

interface Question {
  readonly askedAt: number;
  readonly sign: Promise<Sign>;
}

/**
 * Knows whether the peer answers. No close event tells of a peer that keeps its socket open and has stopped working, so it is
 * asked: after a silence, after a suspicion, and while a call waits longer than usual.
 */
export class LivenessProbe {
  readonly #options: LivenessProbeOptions;
  readonly #peer: ProbedPeer;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  #suspected = false;
  #suspectedAgain = false;
  #saidSilent = false;
  #lastCheck = 0;
  /** The question asked last, until it is settled. */
  #open: Question | null = null;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(peer: ProbedPeer, options: LivenessProbeOptions) {
    this.#options = options;
    this.#peer = peer;
  }

  /** When the last question that was answered was asked, on the clock of `now`. */
  get answeredAt(): number {
    return this.#answeredAt;
  }

  start(): void {
    const { idleMs, now } = this.#options;
    const quietMs = now() - this.#peer.lastInboundAt;
    this.#timer = setTimeout(() => void this.#check(), Math.max(1, idleMs - quietMs));
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /**
   * Whether the peer has answered a question that was asked at this time or later. Asks one, unless that is known already; takes no
   * longer than `timeoutMs`. A peer from which nothing at all comes meanwhile is dropped. Never rejects.
   */
  async answersSince(time: number): Promise<boolean> {
    if (this.#answeredAt >= time) return true;
    if (this.#stopped) return false;
    const sign = await this.#ask(time);
    if (sign === "silent") this.#drop();
    return sign === "answered";
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
    const quiet = now() - this.#peer.lastInboundAt >= idleMs;
    const sign = quiet || suspected ? await this.#ask(now()) : "answered";
    // A suspicion that came up meanwhile has a check of its own.
    if (this.#stopped || check !== this.#lastCheck) return;
    const isHung = sign === "silent" || (sign === "talking" && suspected);
    const askAgain = !isHung && this.#suspectedAgain;
    this.#suspected = false;
    this.#suspectedAgain = false;
    if (isHung) return this.#drop();
    if (askAgain) return this.suspect();
    if (sign !== "failed" && (suspected || this.#saidSilent)) this.#noteAnswer();
    this.start();
  }

  /** Joins a question that was asked at this time or later, else asks one. */
  #ask(since: number): Promise<Sign> {
    if (this.#open !== null && this.#open.askedAt >= since) return this.#open.sign;
    const askedAt = this.#options.now();
    const question: Question = { askedAt, sign: this.#readSign(askedAt) };
    this.#open = question;
    return question.sign.finally(() => {
      if (this.#open === question) this.#open = null;
    });
  }

  async #readSign(askedAt: number): Promise<Sign> {
    const { silentMs, timeoutMs } = this.#options;
    let isOpen = true;
    const silentTimer = setTimeout(() => void this.#noteSilence(askedAt, () => isOpen), silentMs);
    try {
      await this.#peer.ask(timeoutMs);
    } catch (error) {
      if (error instanceof CallTimeoutError) {
        // After a suspended machine or a blocked thread, timers fire before what lies in the socket is read.
        await setImmediate();
        return this.#isHeardSince(askedAt) ? "talking" : "silent";
      }
      if (!(error instanceof RpcError || error instanceof BadAnswerError)) return "failed";
    } finally {
      isOpen = false;
      clearTimeout(silentTimer);
    }
    this.#answeredAt = Math.max(this.#answeredAt, askedAt);
    // What was asked before a suspicion does not settle it.
    if (this.#saidSilent && !this.#suspected && !this.#stopped) this.#noteAnswer();
    return "answered";
  }

  #isHeardSince(time: number): boolean {
    return this.#peer.lastInboundAt > time;
  }

  async #noteSilence(askedAt: number, isOpen: () => boolean): Promise<void> {
    await setImmediate();
    // Answered in this round of the loop, or not in question any more.
    if (!isOpen() || this.#stopped || this.#saidSilent) return;
    if (!this.#suspected && this.#isHeardSince(askedAt)) return;
    this.#options.countFault("peer_silent");
    this.#saidSilent = true;
    this.#peer.noteAnswering(false);
  }

  #noteAnswer(): void {
    this.#saidSilent = false;
    this.#peer.noteAnswering(true);
  }

  #drop(): void {
    if (this.#stopped) return;
    this.stop();
    this.#options.countFault("peer_hung");
    this.#peer.drop(
      new TransportError(`the app-server gave no sign of life for ${this.#options.timeoutMs} ms`),
    );
  }
}
