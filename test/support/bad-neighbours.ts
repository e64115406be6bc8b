/** Callers that hold connections and give as little as they can; raw sockets, ended by whoever began them. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface BadNeighbours {
  readonly count: number;
  /** Settles when the server has cut or ended all of them; never for those that read nothing. */
  readonly gone: Promise<void>;
  /** What each of them was answered with, as far as it was read. */
  readonly heard: () => readonly string[];
  stop(): void;
}

export type BadNeighbourKind = keyof typeof kinds;

interface Kind {
  /** Sent at once. */
  readonly opening: string;
  /** Sent piece by piece after that, without end. */
  readonly drip?: string;
  /** Says that it will send no more, and keeps listening. */
  readonly halfClose?: boolean;
  /** Reads nothing of what it is answered. */
  readonly deaf?: boolean;
}

const post = (body: string, length = Buffer.byteLength(body)) =>
  `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`;

const kinds = {
  "silent connections": { opening: "" },
  "idle connections": { opening: "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n" },
  "senders of slow headers": {
    opening: "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\nx-a: ",
    drip: "a",
  },
  "senders of a slow body": { opening: post('{"input":"', 100_000), drip: "a" },
  "senders of slow chunks": {
    opening:
      "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
    drip: "1\r\n \r\n",
  },
  "half-closed connections": { opening: "", halfClose: true },
  "half-closed senders of half a request": { opening: post('{"input":"', 100_000), halfClose: true },
  "half-closed callers": { opening: post('{"input":"half-closed"}'), halfClose: true },
  "readers of no stream": { opening: post('{"input":"deaf","stream":true}'), deaf: true },
  "readers of no answer": { opening: post('{"input":"deaf"}'), deaf: true },
} as const satisfies Record<string, Kind>;

export const badNeighbourKinds = Object.keys(kinds).filter(isKind);

function isKind(name: string): name is BadNeighbourKind {
  return Object.hasOwn(kinds, name);
}

/** Settles when all are connected and have sent their opening. */
export async function inviteBadNeighbours(
  port: number,
  name: BadNeighbourKind,
  count: number,
  dripEveryMs = 500,
): Promise<BadNeighbours> {
  const kind: Kind = kinds[name];
  const heard = new Map<Socket, string>();
  const gone: Promise<unknown>[] = [];
  const arrivals = Array.from({ length: count }, async () => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    heard.set(socket, "");
    gone.push(new Promise((resolve) => socket.once("close", resolve)));
    socket.on("error", () => {
      // Being cut off is what is waited for, and `close` follows.
    });
    if (kind.deaf !== true) {
      socket.on("data", (chunk) => heard.set(socket, `${heard.get(socket)}${chunk.toString()}`.slice(-4096)));
      socket.on("end", () => socket.end());
    }
    await once(socket, "connect");
    socket.write(kind.opening);
    if (kind.halfClose === true) socket.end();
  });
  await Promise.all(arrivals);
  const { drip } = kind;
  const dripping =
    drip === undefined
      ? undefined
      : setInterval(() => {
          for (const socket of heard.keys()) if (socket.writable) socket.write(drip);
        }, dripEveryMs);
  const allGone = Promise.all(gone).then(() => clearInterval(dripping));
  return {
    count,
    gone: allGone,
    heard: () => [...heard.values()],
    stop: () => {
      clearInterval(dripping);
      for (const socket of heard.keys()) socket.destroy();
    },
  };
}
