import { Session } from "node:inspector";

/**
 * Blocks the event loop of every thread of the pool but the first `spared`, as an endless computation does; for good. Only of the pool:
 * a test runner's module hooks have a thread too, and with that one blocked the process would never end.
 */
export async function blockWorkers(spared: number): Promise<void> {
  const inspector = new Session();
  inspector.connect();
  const attached: string[] = [];
  inspector.on("NodeWorker.attachedToWorker", ({ params: { sessionId, workerInfo } }) => {
    if (workerInfo.url.includes("piscina")) attached.push(sessionId);
  });
  await new Promise<void>((resolve, reject) =>
    inspector.post("NodeWorker.enable", { waitForDebuggerOnStart: false }, (error) =>
      error ? reject(error) : resolve(),
    ),
  );
  for (const sessionId of attached.slice(spared)) {
    const message = JSON.stringify({
      id: 1,
      method: "Runtime.evaluate",
      params: { expression: "for (;;);" },
    });
    inspector.post("NodeWorker.sendMessageToWorker", { sessionId, message });
  }
  inspector.disconnect();
}
