import { connect, type Socket } from "node:net";
import { runLoad } from "../measure/load.js";
import { readResidentBytes } from "../measure/process-usage.js";
import { atLeast, single } from "../report/figure.js";
import type { Resources } from "../rig/resources.js";
import { callService, layGround, startService } from "../rig/rig.js";
import { toMb } from "./scale-streams.js";
import type { Scenario } from "./scenario.js";
import { shortReply, shortTurn } from "./short-turn.js";

const connections = 2_000;
/** As many as a listener's backlog surely holds. */
const dialledAtOnce = 100;
const dialTimeoutMs = 10_000;
const turns = 20;

/** Connections that were used once and are kept open. */
export const scaleIdle: Scenario = {
  name: "idle-connections",
  title: "2,000 idle keep-alive connections",
  quickSeconds: 0,
  fullSeconds: 15,
  run: async ({ resources, signal }) => {
    const ground = await layGround(resources);
    await ground.backend.setReply(shortReply);
    const service = await startService(resources, ground);
    const { json } = await callService(resources, service);
    const plan = { ...shortTurn, maxMs: 5_000, signal };
    const measure = () => runLoad(json, { ...plan, atOnce: 1, turns });
    await measure();
    const before = { load: await measure(), bytes: await readResidentBytes(service.pid) };
    const sockets = await dialAll(resources, service.url, signal);
    const open = { load: await measure(), bytes: await readResidentBytes(service.pid) };
    const stillOpen = sockets.filter(({ readable, writable }) => readable && writable).length;
    const added = toMb(open.bytes) - toMb(before.bytes);
    return {
      figures: [
        single("connections held", "", stillOpen, atLeast(connections)),
        single("turn p50 without them", "ms", before.load.totalP50Ms),
        single("turn p50 with them", "ms", open.load.totalP50Ms),
        single("supervisor without them", "MB", toMb(before.bytes)),
        single("supervisor with them", "MB", toMb(open.bytes)),
        single("memory of one connection", "KB", (added * 1024) / connections),
      ],
      details: { before, open, stillOpen },
      remarks: [],
    };
  },
};

async function dialAll(resources: Resources, url: string, signal: AbortSignal): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  await resources.defer("idle connections", () => {
    for (const socket of sockets) socket.destroy();
  });
  const { hostname, port } = new URL(url);
  while (sockets.length < connections) {
    signal.throwIfAborted();
    await Promise.all(
      Array.from({ length: Math.min(dialledAtOnce, connections - sockets.length) }, async () => {
        const socket = connect({ host: hostname, port: Number(port) });
        sockets.push(socket);
        await useOnce(socket);
      }),
    );
  }
  return sockets;
}

/** One request and its answer; then the connection is a kept one. */
function useOnce(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(dialTimeoutMs, () => reject(new Error("no answer on a new connection")));
    socket.once("data", () => {
      socket.setTimeout(0);
      resolve();
    });
    socket.on("error", reject);
    socket.write("GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: keep-alive\r\n\r\n");
  });
}
