/** A caller that writes bytes as it likes: raw sockets, closed by the test that opened them. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Test } from "tap";

export interface RawCaller {
  readonly socket: Socket;
  /** All that was answered so far. */
  readonly heard: () => string;
  /** Settles when the answer so far matches; rejects when the connection ends before, or after 20 s. */
  readonly hears: (pattern: RegExp) => Promise<string>;
  /** Settles with all that was answered when the connection is closed. */
  readonly closed: Promise<string>;
}

export async function callRaw(t: Pick<Test, "teardown">, port: number): Promise<RawCaller> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  socket.on("end", () => socket.end());
  // A reset is one way of closing, and `close` follows.
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
  await once(socket, "connect");
  const hears = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error(`heard ${JSON.stringify(text)}`)), 20_000);
      const look = () => {
        if (!pattern.test(text)) return false;
        clearTimeout(deadline);
        socket.off("data", look);
        resolve(text);
        return true;
      };
      if (look()) return;
      socket.on("data", look);
      void closed.then(() => {
        clearTimeout(deadline);
        if (!look()) reject(new Error(`closed after ${JSON.stringify(text)}`));
      });
    });
  return { socket, heard: () => text, hears, closed };
}

/** The head of a post of JSON; `more` are lines of other headers. */
export function postHead(bytes: number, more: readonly string[] = []): string {
  const lines = [
    "POST /v1/responses HTTP/1.1",
    "host: localhost",
    "content-type: application/json",
    `content-length: ${bytes}`,
    ...more,
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** A request for a response, of this size. */
export function bodyOf(bytes: number): string {
  return JSON.stringify({ input: "x".repeat(bytes - '{"input":""}'.length) });
}
