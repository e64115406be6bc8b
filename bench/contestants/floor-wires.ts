import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";

/** How JSON-RPC messages reach an app-server. */
export interface FloorWire {
  send(text: string): void;
  /** Set before anything is sent. */
  onMessage: (text: string) => void;
  onClose: () => void;
  close(): void;
}

/** One message a text frame, over the app-server's unix socket. */
export async function openSocketWire(socketPath: string, openTimeoutMs: number): Promise<FloorWire> {
  const socket = new WebSocket(`ws+unix://${socketPath}:/`, {
    perMessageDeflate: false,
    handshakeTimeout: openTimeoutMs,
  });
  const wire: FloorWire = {
    send: (text) => socket.send(text),
    onMessage: () => undefined,
    onClose: () => undefined,
    close: () => socket.terminate(),
  };
  socket.on("message", (data) => wire.onMessage(String(data)));
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  socket.on("error", () => socket.terminate());
  socket.on("close", () => wire.onClose());
  return wire;
}

/** One message a line, on the pipes of a process that somebody else stops. */
export function openStdioWire(child: ChildProcess): FloorWire {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("the app-server has no pipes");
  const lines = createInterface({ input: stdout });
  const wire: FloorWire = {
    send: (text) => stdin.write(`${text}\n`),
    onMessage: () => undefined,
    onClose: () => undefined,
    close: () => lines.close(),
  };
  // The process may end before what was written reaches it; its end is reported below.
  stdin.on("error", () => undefined);
  lines.on("line", (line) => wire.onMessage(line));
  child.once("exit", () => wire.onClose());
  return wire;
}
