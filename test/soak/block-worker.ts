/** Blocks a worker thread of a service that is another process, by Node's own inspector. */
import { WebSocket } from "ws";
import { z } from "zod";
import { waitWithin } from "../../src/workers/contract/wait.js";
import { pause, type ServiceProcess } from "./service-process.js";

const timeoutMs = 10_000;
const targets = z.array(z.object({ webSocketDebuggerUrl: z.string() }));
const attached = z.object({
  method: z.literal("NodeWorker.attachedToWorker"),
  params: z.object({ sessionId: z.string(), workerInfo: z.object({ url: z.string() }) }),
});

/** Resolves with whether one of its pool's threads now computes without an end. */
export async function blockWorker(service: ServiceProcess): Promise<boolean> {
  const url = await openInspector(service);
  if (url === null) return false;
  const socket = new WebSocket(url, { perMessageDeflate: false });
  try {
    return await waitWithin(blockFirst(socket), { timeoutMs }, () => false);
  } finally {
    socket.terminate();
  }
}

async function openInspector({ pid, inspectorPort }: ServiceProcess): Promise<string | null> {
  process.kill(pid, "SIGUSR1");
  for (let leftMs = timeoutMs; leftMs > 0; leftMs -= 100) {
    const answer = await fetch(`http://127.0.0.1:${inspectorPort}/json/list`).catch(() => null);
    if (answer !== null) return targets.parse(await answer.json())[0]?.webSocketDebuggerUrl ?? null;
    await pause(100);
  }
  return null;
}

function blockFirst(socket: WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    let isBlocked = false;
    const send = (id: number, method: string, params: object) =>
      socket.send(JSON.stringify({ id, method, params }));
    socket.once("open", () => send(1, "NodeWorker.enable", { waitForDebuggerOnStart: false }));
    socket.on("error", () => resolve(false));
    socket.on("message", (data) => {
      const message: unknown = JSON.parse(String(data));
      const worker = attached.safeParse(message);
      // The service has other threads too, and the pool's are those that run turns.
      if (isBlocked || !worker.success || !worker.data.params.workerInfo.url.includes("piscina")) return;
      isBlocked = true;
      const evaluate = { id: 1, method: "Runtime.evaluate", params: { expression: "for (;;);" } };
      const { sessionId } = worker.data.params;
      send(2, "NodeWorker.sendMessageToWorker", { sessionId, message: JSON.stringify(evaluate) });
      // It has to arrive before the connection ends.
      void pause(500).then(() => resolve(true));
    });
  });
}
