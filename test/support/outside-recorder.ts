/** A proxy for whatever a process wants of other machines: it refuses each connection, and says which they were. */
import { createServer } from "node:http";
import type { Test } from "tap";

export interface OutsideRecorder {
  /** For the environment of the process; this machine's own addresses are not proxied. */
  readonly environment: Readonly<Record<string, string>>;
  /** Each host and port that was asked for, once. */
  readonly asked: ReadonlySet<string>;
}

export async function recordOutside(t: Pick<Test, "teardown">): Promise<OutsideRecorder> {
  const asked = new Set<string>();
  const server = createServer((request, response) => {
    asked.add(request.url ?? "");
    response.writeHead(502).end();
  });
  server.on("connect", (request, socket) => {
    asked.add(request.url ?? "");
    socket.on("error", () => socket.destroy());
    socket.end("HTTP/1.1 502 Nobody is asked from here\r\n\r\n");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the recorder has no port");
  const proxy = `http://127.0.0.1:${address.port}`;
  return { environment: { HTTPS_PROXY: proxy, ALL_PROXY: proxy, NO_PROXY: "127.0.0.1,localhost" }, asked };
}
