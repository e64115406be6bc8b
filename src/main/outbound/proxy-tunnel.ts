/** How an HTTP proxy is asked for a connection to another server. */
import type { Socket } from "node:net";
import { createDeferred } from "../../workers/contract/wait.js";

/** The proxy closed the connection, or answered what is no HTTP. */
export class Hangup extends Error {}

const maxHeadBytes = 16 * 1024;

/** Sends `CONNECT` to the proxy at the other end of the socket, and resolves with the status of its answer. */
export function askForTunnel(socket: Socket, authority: string, proxy: URL): Promise<number> {
  const answer = createDeferred<number>();
  const login = readLogin(proxy);
  const credentials = login === null ? "" : `Proxy-Authorization: ${login}\r\n`;
  let head = "";
  const onData = (chunk: Buffer): void => {
    head += chunk.toString("latin1");
    const status = /^HTTP\/1\.\d (\d{3})/.exec(head)?.[1];
    const isWhole = head.includes("\r\n\r\n");
    if (!isWhole && head.length < maxHeadBytes) return;
    release();
    if (status === undefined || !isWhole) answer.reject(new Hangup());
    else answer.resolve(Number(status));
  };
  const onClose = (): void => answer.reject(new Hangup());
  const release = (): void => {
    socket.off("data", onData);
    socket.off("error", answer.reject);
    socket.off("close", onClose);
  };
  socket.on("data", onData);
  socket.once("error", answer.reject);
  socket.once("close", onClose);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`);
  return answer.promise;
}

/** The value of `Proxy-Authorization` for the user and password of the proxy's address; null where it has none. */
export function readLogin({ username, password }: URL): string | null {
  if (username === "" && password === "") return null;
  return `Basic ${Buffer.from(`${decode(username)}:${decode(password)}`).toString("base64")}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that stands for itself.
    return text;
  }
}
