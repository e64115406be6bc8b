import type { Test } from "tap";
import {
  AppServerConnection,
  type AppServerConnectionOptions,
  type ConnectionStateChange,
} from "../../../../../src/workers/app-server/connection.js";
import type { AppServerEndpoint } from "../../../../../src/workers/contract/endpoint.js";
import { answerHandshake, MemoryPeer } from "../../../../support/memory-transport.js";
import { FaultLog } from "./collect-faults.js";

export const anywhere: AppServerEndpoint = { kind: "unix", socketPath: "/memory" };

/** A connection whose every wire is a linked pair in memory. */
export class ConnectionHarness {
  readonly faults = new FaultLog();
  readonly changes: ConnectionStateChange[] = [];
  readonly accountNotices: [string, unknown][] = [];
  readonly peers: MemoryPeer[] = [];
  readonly endpoints: AppServerEndpoint[] = [];
  /** What the next peers do with what they get. Default: any app-server's handshake. */
  onReceived = answerHandshake;
  /** While set, no wire opens. */
  startFailure: Error | null = null;
  readonly connection: AppServerConnection;
  #wake: (() => void)[] = [];

  constructor(t: Test, overrides: Partial<AppServerConnectionOptions> = {}) {
    this.connection = new AppServerConnection({
      clientName: "test",
      clientVersion: "1.2.3",
      countFault: this.faults.count,
      backoff: { minMs: 1, maxMs: 2, random: () => 0 },
      callbacks: {
        onStateChange: (change) => {
          this.changes.push(change);
          this.#notify();
        },
        onAccountNotice: (method, params) => this.accountNotices.push([method, params]),
        onChild: () => {},
      },
      createTransport: (endpoint) => {
        const peer = new MemoryPeer(this.onReceived);
        peer.startFailure = this.startFailure;
        this.peers.push(peer);
        this.#notify();
        this.endpoints.push(endpoint);
        return peer.transport;
      },
      ...overrides,
    });
    t.teardown(() => this.connection.close());
  }

  /** The peer of the latest dial. */
  get peer(): MemoryPeer {
    const peer = this.peers.at(-1);
    if (peer === undefined) throw new Error("nothing was dialled yet");
    return peer;
  }

  /** The peer of the first dial, which comes a moment after `connect`. */
  async dialled(): Promise<MemoryPeer> {
    while (this.peers.length === 0) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.peer;
  }

  get states(): string[] {
    return this.changes.map(({ state }) => state);
  }

  async connect(appServerGeneration = 1): Promise<MemoryPeer> {
    this.connection.connect(anywhere, appServerGeneration);
    await this.connection.whenReady({ timeoutMs: 5_000 });
    return this.peer;
  }

  /** The first change that fits, old or still to come. */
  async changed(fits: (change: ConnectionStateChange) => boolean): Promise<ConnectionStateChange> {
    for (;;) {
      const found = this.changes.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
