import { setTimeout as delay } from "node:timers/promises";
import { createDeferred } from "../contract/wait.js";
import type { Backoff } from "./backoff.js";
import { callMethod } from "./call-method.js";
import { connectionLimits } from "./connection-limits.js";
import { ConnectionLostError } from "./errors.js";
import { LivenessProbe, type LivenessProbeOptions } from "./liveness-probe.js";
import type { Session } from "./open-session.js";

/** When a silent peer is asked, counts as silent, and is dropped. */
export type ProbeTimes = Pick<LivenessProbeOptions, "idleMs" | "silentMs" | "timeoutMs">;

export interface SessionKeeperOptions {
  /** Opens a wire and shakes hands. `onClose` comes once for each wire that opened, before or after this resolves. */
  readonly dial: (
    signal: AbortSignal,
    onClose: (error: ConnectionLostError | null) => void,
  ) => Promise<Session>;
  readonly backoff: Backoff;
  readonly probe: ProbeTimes;
  readonly now: () => number;
  readonly countFault: (name: string) => void;
  readonly onReady: (session: Session, reconnected: boolean) => void;
  /** After each `onReady`, once. `planned` when `stop` was called. */
  readonly onLost: (error: ConnectionLostError, planned: boolean) => void;
  readonly onDialFailed: (error: unknown) => void;
  /** The session's peer has not answered a probe for a while, or has answered one. */
  readonly onAnswering: (answers: boolean) => void;
}

/** Keeps one endpoint connected: dials until it answers, holds the session, dials again when the wire breaks. */
export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  readonly #abort = new AbortController();
  #session: Session | null = null;
  #probe: LivenessProbe | null = null;
  #lossesSeen = 0;
  #done: Promise<void> | null = null;

  constructor(options: SessionKeeperOptions) {
    this.#options = options;
  }

  /** The session while its handshake is done and its wire holds. */
  get session(): Session | null {
    return this.#session;
  }

  /** Whether the present session has answered something that was asked at this time or later; asks, if need be. Never rejects. */
  async answersSince(time: number): Promise<boolean> {
    return (await this.#probe?.answersSince(time)) ?? false;
  }

  /** Asks the session's peer for a sign of life: `onAnswering` or `onLost` says what came of it. False without a session. */
  suspect(): boolean {
    this.#probe?.suspect();
    return this.#probe !== null;
  }

  /** @param after the end of an older one: two processes of ours on one login would race for its token. */
  start(after: Promise<void>): void {
    this.#done ??= after.then(() => this.#run());
  }

  /** Resolves when the wire is released and nothing will dial again. Repeated calls join the first. */
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
      if (!signal.aborted)
        await delay(this.#options.backoff.nextDelayMs(), undefined, { signal }).catch(() => {});
    }
  }

  async #dialAndHold(): Promise<void> {
    const { dial, backoff, now, onReady, onLost, onDialFailed } = this.#options;
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
      session = await dial(signal, onClose);
      // The wire may have broken between the last word of the handshake and this line.
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
    // Joins whatever ended the wire: the next dial must not find the old process still there.
    await session.client.close();
    if (now() - readyAt >= connectionLimits.stableAfterMs) backoff.reset();
  }

  #createProbe({ client }: Session): LivenessProbe {
    const { probe, now, countFault, onAnswering } = this.#options;
    return new LivenessProbe(
      {
        get lastInboundAt() {
          return client.lastInboundAt;
        },
        ask: (timeoutMs) => askForSignOfLife(client, timeoutMs),
        noteAnswering: onAnswering,
        drop: (error) => void client.destroy(error),
      },
      { ...probe, now, countFault },
    );
  }
}

/** Of the calls that every version knows the cheapest: it reads one map and asks no account, disk or network. */
async function askForSignOfLife(client: Session["client"], timeoutMs: number): Promise<void> {
  await callMethod(client, "thread/loaded/list", { limit: 1 }, { timeoutMs, isProbe: true });
}
