/** A network between Codex and its backend that breaks when a test says so: bytes, and nothing that they mean. */
import { createConnection, createServer, type Server, type Socket } from "node:net";
import type { Test } from "tap";

/** What becomes of a connection. */
export type NetworkFault =
  /** Closed in order on both sides. */
  | "cut"
  /** Reset on both sides. */
  | "reset"
  /** Nothing more arrives on either side until `lift`, and nobody is told. */
  | "black_hole"
  /** What arrives is not what this protocol has: a peer without TLS, for one. */
  | "garble"
  /** A few bytes at a time. */
  | "throttle";

/** When it strikes. */
export type FaultMoment =
  /** As soon as a connection is accepted. */
  | { readonly at: "accept" }
  /** When the backend has sent this text, which still arrives. */
  | { readonly at: "text"; readonly text: string };

interface ArmedFault {
  readonly fault: NetworkFault;
  readonly moment: FaultMoment;
  /** Connections that it may still strike. */
  left: number;
}

/** As slow as a test can wait for. */
const throttled = { bytes: 256, everyMs: 2 } as const;
const garbage = "SSH-2.0-OpenSSH_9.6\r\n";

/** Carries connections from `origin` to the backend. */
export class BadNetwork {
  readonly origin: string;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #armed: ArmedFault | null = null;
  #backendPort = 0;
  #accepted = 0;
  #struck = 0;

  static async start(t: Pick<Test, "teardown">): Promise<BadNetwork> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    const network = new BadNetwork(server);
    t.teardown(() => network.refuse());
    return network;
  }

  private constructor(server: Server) {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the network has no port");
    this.origin = `http://127.0.0.1:${address.port}`;
    this.#server = server;
    server.on("connection", (near) => this.#carry(near));
  }

  leadTo(origin: string): void {
    this.#backendPort = Number(new URL(origin).port);
  }

  /** Connections from Codex so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Connections that had a fault so far. */
  get struck(): number {
    return this.#struck;
  }

  /** Whether a fault waits for its moment. */
  get isArmed(): boolean {
    return this.#armed !== null && this.#armed.left > 0;
  }

  /** The next `times` connections for which the moment comes have this fault. */
  arm(fault: NetworkFault, moment: FaultMoment, times = 1): void {
    this.#armed = { fault, moment, left: times };
  }

  /** Every connection that stands has this fault now; if none does, the next one has it from its beginning. */
  strike(fault: NetworkFault): void {
    if (this.#pairs.size === 0) this.arm(fault, { at: "accept" });
    for (const pair of this.#pairs) this.#suffer(pair, fault);
  }

  /** Connections are refused from here on, and those that stand are reset. */
  async refuse(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      for (const pair of this.#pairs) pair.suffer("reset");
    });
  }

  /** Nothing more strikes, and what was held back arrives. */
  lift(): void {
    this.#armed = null;
    for (const pair of this.#pairs) pair.recover();
  }

  #carry(near: Socket): void {
    this.#accepted += 1;
    const pair = new Pair(near, this.#backendPort, (bytes) => {
      const moment = this.#armed?.moment;
      if (moment?.at === "text" && bytes.includes(moment.text)) this.#spend(pair);
    });
    this.#pairs.add(pair);
    near.once("close", () => this.#pairs.delete(pair));
    if (this.#armed?.moment.at === "accept") this.#spend(pair);
  }

  #spend(pair: Pair): void {
    const armed = this.#armed;
    if (armed === null || armed.left === 0) return;
    armed.left -= 1;
    this.#suffer(pair, armed.fault);
  }

  #suffer(pair: Pair, fault: NetworkFault): void {
    this.#struck += 1;
    pair.suffer(fault);
  }
}

/** One connection of Codex's, and the one to the backend that it is carried on. */
class Pair {
  readonly #near: Socket;
  readonly #far: Socket;
  #state: "whole" | "held" | "slow" = "whole";
  /** Those whose last bytes are still on their slow way: what comes after must not overtake them. */
  readonly #slow = new Set<Socket>();

  /** `onArrived` is called when bytes of the backend's have been passed on. */
  constructor(near: Socket, backendPort: number, onArrived: (bytes: Buffer) => void) {
    const far = createConnection({ host: "127.0.0.1", port: backendPort, noDelay: true });
    near.setNoDelay(true);
    this.#near = near;
    this.#far = far;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("error", () => from.destroy());
      from.on("data", (bytes: Buffer) => {
        if (this.#state === "slow") return this.#trickle(from, to, bytes);
        if (to.writable) to.write(bytes);
        if (from === far) onArrived(bytes);
      });
      from.once("end", () => to.end());
      from.once("close", () => {
        if (this.#state !== "held") to.destroySoon();
      });
    }
  }

  suffer(fault: NetworkFault): void {
    switch (fault) {
      case "cut":
        this.#near.destroySoon();
        this.#far.destroySoon();
        return;
      case "reset":
        this.#near.resetAndDestroy();
        this.#far.resetAndDestroy();
        return;
      case "garble":
        this.#near.end(garbage);
        this.#far.destroy();
        return;
      case "black_hole":
        this.#state = "held";
        this.#near.pause();
        this.#far.pause();
        return;
      case "throttle":
        this.#state = "slow";
        return;
    }
  }

  recover(): void {
    if (this.#state === "whole") return;
    this.#state = "whole";
    for (const socket of [this.#near, this.#far]) if (!this.#slow.has(socket)) socket.resume();
  }

  /** Reads no more until these bytes have been passed on, a few at a time. */
  #trickle(from: Socket, to: Socket, bytes: Buffer): void {
    from.pause();
    this.#slow.add(from);
    const next = (start: number): void => {
      if (to.destroyed) return;
      to.write(bytes.subarray(start, start + throttled.bytes));
      const rest = start + throttled.bytes;
      if (rest < bytes.length) {
        setTimeout(next, throttled.everyMs, rest);
        return;
      }
      this.#slow.delete(from);
      if (this.#state !== "held") from.resume();
    };
    next(0);
  }
}
