import { createConnection, createServer, type Server, type Socket } from "node:net";

/** Bytes that may be on their way in one direction of one connection; more are not read until some have arrived. */
const maxOnTheWay = 1024 * 1024;

/**
 * A network between a client and a server on loopback: every byte takes half a round trip, and a new connection two whole ones (TCP and
 * TLS 1.3) before its first byte. What the client sends meanwhile waits, as it would in a TLS library.
 */
export class DistantNetwork {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #roundTripMs: number;

  static async start(options: {
    readonly to: number;
    readonly roundTripMs: number;
  }): Promise<DistantNetwork> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new DistantNetwork(server, options);
  }

  private constructor(server: Server, options: { readonly to: number; readonly roundTripMs: number }) {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the network has no port");
    this.port = address.port;
    this.#server = server;
    this.#roundTripMs = options.roundTripMs;
    server.on("connection", (near) => this.#carry(near, options.to));
  }

  /** For what is sent from here on, over connections that stand too. */
  setRoundTrip(roundTripMs: number): void {
    this.#roundTripMs = roundTripMs;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #carry(near: Socket, port: number): void {
    const far = createConnection({ host: "127.0.0.1", port, noDelay: true });
    near.setNoDelay(true);
    const openAtMs = performance.now() + 2 * this.#roundTripMs;
    const arrival = () => Math.max(performance.now(), openAtMs) + this.#roundTripMs / 2;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on("error", () => from.destroy());
      from.once("close", () => {
        this.#sockets.delete(from);
        to.destroySoon();
      });
      delayed(from, to, arrival);
    }
  }
}

/** Hands on what `from` sends, each piece at its time of arrival and in order, and then its end. */
function delayed(from: Socket, to: Socket, arrival: () => number): void {
  const onTheWay: { readonly piece: Buffer | null; readonly atMs: number }[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | null = null;
  const deliver = (): void => {
    timer = null;
    for (let next = onTheWay[0]; next !== undefined && next.atMs <= performance.now(); next = onTheWay[0]) {
      onTheWay.shift();
      if (next.piece === null) to.end();
      else if (to.writable) {
        bytes -= next.piece.length;
        to.write(next.piece);
      }
    }
    if (bytes < maxOnTheWay) from.resume();
    const next = onTheWay[0];
    if (next !== undefined) timer = setTimeout(deliver, Math.max(0, next.atMs - performance.now()));
  };
  const send = (piece: Buffer | null): void => {
    onTheWay.push({ piece, atMs: arrival() });
    bytes += piece?.length ?? 0;
    if (bytes >= maxOnTheWay) from.pause();
    timer ??= setTimeout(deliver, Math.max(0, (onTheWay[0]?.atMs ?? 0) - performance.now()));
  };
  from.on("data", (piece: Buffer) => send(piece));
  from.once("end", () => send(null));
  to.once("close", () => {
    if (timer !== null) clearTimeout(timer);
    onTheWay.length = 0;
  });
}
