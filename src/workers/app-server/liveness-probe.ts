import { setImmediate } from "node:timers/promises";
import { watchLimits } from "../contract/wait.js";
import { BadAnswerError, CallTimeoutError, RpcError, TransportError } from "./errors.js";

/** What the probe needs of a connection. */
export interface ProbedPeer {
  /** On the clock of `now`. */
  readonly lastInboundAt: number;
  /** Asks for a sign of life. Any answer is one, even an error or an unreadable one; a `CallTimeoutError` means there was none. */
  ask(timeoutMs: number): Promise<unknown>;
  /** False: the peer has not answered for a while. True: a silent or suspect peer has answered. */
  noteAnswering(answers: boolean): void;
  /** Drops the connection: the peer hangs. */
  drop(error: TransportError): void;
}

export interface LivenessProbeOptions {
  /** Silence after which the peer is probed. */
  readonly idleMs: number;
  /** How long its answer may take before it counts as silent: a silent peer gets no new work. */
  readonly silentMs: number;
  /** How long its answer may take before the connection is dropped. More than `silentMs`: a paused process may resume. */
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly countFault: (name: string) => void;
}

/** The result of one probe. `talking`: no answer, but other messages came meanwhile. `failed`: it could not be sent. */
type Sign = "answered" | "talking" | "silent" | "failed";

interface Question {
  readonly askedAt: number;
  readonly sign: Promise<Sign>;
}

/**
 * Finds out whether the peer still answers. A peer that stops working but keeps its socket open causes no close event, so it is
 * probed: after a silence, when something marks it suspect, and while a call waits longer than usual.
 */
export class LivenessProbe {
  readonly #options: LivenessProbeOptions;
  readonly #peer: ProbedPeer;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #suspected = false;
  #suspectedAgain = false;
  #saidSilent = false;
  #lastCheck = 0;
  /** The last probe, until it is settled. */
  #open: Question | null = null;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(peer: ProbedPeer, options: LivenessProbeOptions) {
    this.#options = options;
    this.#peer = peer;
  }

  /** When the last answered probe was sent, on the clock of `now`. */
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
    clearTimeout(this.#timer);
  }

  /**
   * Whether the peer has answered a probe sent at this time or later. Sends one unless that is known already; takes no longer than
   * `timeoutMs`. Drops a peer that sends nothing at all meanwhile. Never rejects.
   */
  async answersSince(time: number): Promise<boolean> {
    if (this.#answeredAt >= time) return true;
    if (this.#stopped) return false;
    const sign = await this.#ask(time);
    if (sign === "silent") this.#drop();
    return sign === "answered";
  }

  /**
   * Marks the peer suspect and probes it now; only an answer clears it, other messages do not. For a call without an answer, or a
   * turn that broke on the same process.
   */
  markSuspect(): void {
    if (this.#stopped) return;
    // An answer already on its way may be older than this suspicion: another probe follows it.
    this.#suspectedAgain = this.#suspected;
    if (this.#suspected) return;
    this.#suspected = true;
    clearTimeout(this.#timer);
    void this.#check();
  }

  async #check(): Promise<void> {
    const { idleMs, now } = this.#options;
    this.#lastCheck += 1;
    const check = this.#lastCheck;
    const suspected = this.#suspected;
    const quiet = now() - this.#peer.lastInboundAt >= idleMs;
    const sign = quiet || suspected ? await this.#ask(now()) : "answered";
    // If the peer became suspect meanwhile, that started a check of its own.
    if (this.#stopped || check !== this.#lastCheck) return;
    const isHung = sign === "silent" || (sign === "talking" && suspected);
    const askAgain = !isHung && this.#suspectedAgain;
    this.#suspected = false;
    this.#suspectedAgain = false;
    if (isHung) return this.#drop();
    if (askAgain) return this.markSuspect();
    if (sign !== "failed" && (suspected || this.#saidSilent)) this.#noteAnswer();
    this.start();
  }

  /** Joins a probe sent at this time or later, else sends one. */
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
    const release = watchLimits({ timeoutMs: silentMs }, () => {
      void this.#noteSilence(askedAt, () => isOpen);
    });
    try {
      await this.#peer.ask(timeoutMs);
    } catch (error) {
      if (error instanceof CallTimeoutError) {
        // After a suspended machine or a blocked thread, timers fire before the socket is read.
        await setImmediate();
        return this.#isHeardSince(askedAt) ? "talking" : "silent";
      }
      if (!(error instanceof RpcError || error instanceof BadAnswerError)) return "failed";
    } finally {
      isOpen = false;
      release();
    }
    this.#answeredAt = Math.max(this.#answeredAt, askedAt);
    // A probe sent before the peer became suspect does not clear it.
    if (this.#saidSilent && !this.#suspected && !this.#stopped) this.#noteAnswer();
    return "answered";
  }

  #isHeardSince(time: number): boolean {
    return this.#peer.lastInboundAt > time;
  }

  async #noteSilence(askedAt: number, isOpen: () => boolean): Promise<void> {
    await setImmediate();
    // Answered in this round of the loop, stopped, or already reported.
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
