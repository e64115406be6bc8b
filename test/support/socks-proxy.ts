/** A SOCKS5 proxy (RFC 1928, 1929) that leads every connection to one port of this machine, whichever host was asked for. */
import { connect, createServer, type Socket } from "node:net";
import type { Test } from "tap";

export interface SocksProxy {
  readonly port: number;
  /** What its clients asked for, in their order: a name where they leave it to the proxy to find the address. */
  readonly asked: readonly string[];
  /** Names and passwords that were given, as `NAME:PASSWORD`. */
  readonly logins: readonly string[];
}

export interface SocksOptions {
  readonly leadTo: number;
  /** As `NAME:PASSWORD`. Default: none is asked for. */
  readonly login?: string;
  /** The answer's code in place of a connection, such as 2: not allowed. Default: 0. */
  readonly refusal?: number;
}

const version = 5;
const methods = { none: 0, password: 2, noneOfThese: 0xff } as const;

export async function startSocksProxy(t: Pick<Test, "teardown">, options: SocksOptions): Promise<SocksProxy> {
  const asked: string[] = [];
  const logins: string[] = [];
  const open = new Set<Socket>();
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
  };
  const serve = async (socket: Socket): Promise<void> => {
    const read = reader(socket);
    const [, methodCount = 0] = await read(2);
    const offered = [...(await read(methodCount))];
    const method = options.login === undefined ? methods.none : methods.password;
    if (!offered.includes(method)) return void socket.end(Buffer.from([version, methods.noneOfThese]));
    socket.write(Buffer.from([version, method]));
    if (method === methods.password) {
      const [, nameLength = 0] = await read(2);
      const name = (await read(nameLength)).toString();
      const [passwordLength = 0] = await read(1);
      logins.push(`${name}:${(await read(passwordLength)).toString()}`);
      const isRight = logins.at(-1) === options.login;
      socket.write(Buffer.from([1, isRight ? 0 : 1]));
      if (!isRight) return void socket.end();
    }
    const [, , , kind = 0] = await read(4);
    const [length = 0] = kind === 3 ? await read(1) : [kind === 1 ? 4 : 16];
    const address = await read(length);
    const host =
      kind === 3 ? address.toString() : kind === 1 ? address.join(".") : `[${address.toString("hex")}]`;
    asked.push(`${host}:${(await read(2)).readUInt16BE()}`);
    const { refusal = 0 } = options;
    const answer = Buffer.from([version, refusal, 0, 1, 0, 0, 0, 0, 0, 0]);
    if (refusal !== 0) return void socket.end(answer);
    const target = connect(options.leadTo, "127.0.0.1", () => {
      socket.write(answer);
      socket.pipe(target).pipe(socket);
    });
    keep(target);
    socket.on("close", () => target.destroy());
    target.on("close", () => socket.destroy());
  };
  const server = createServer((socket) => {
    keep(socket);
    serve(socket).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return { port: address.port, asked, logins };
}

/** Reads so many bytes; what comes behind them stays in the socket. */
function reader(socket: Socket): (length: number) => Promise<Buffer> {
  return async (length) => {
    if (length === 0) return Buffer.alloc(0);
    for (;;) {
      const chunk: unknown = socket.read(length);
      if (chunk instanceof Buffer) return chunk;
      await new Promise<void>((resolve, reject) => {
        socket.once("readable", resolve);
        socket.once("close", () => reject(new Error("closed")));
      });
    }
  };
}
