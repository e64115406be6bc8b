/** An app-server that dies, hangs or goes bad slowly, and a worker of the service's that is blocked. */
import { readFile } from "node:fs/promises";
import { WebSocket } from "ws";
import { readMetric } from "../support/metrics-text.js";
import type { BadCaller, BadCallerContext } from "./bad-callers.js";
import { blockWorker } from "./block-worker.js";
import { askInTurn, askOnce, untilServed } from "./one-shot-callers.js";
import { cutBy, type Phase } from "./phase.js";
import { pause, type ServiceProcess } from "./service-process.js";

/** Of the service under test. An app-server at its limit of connections takes some 240 MB. */
export const usageBounds = {
  maxRssBytes: 320 * 2 ** 20,
  maxIdleCpuPercent: 20,
  idleCpuWindowMs: 4_000,
} as const;

const noticeMs = 90_000;

/** Asks for an answer that comes slowly. */
export const slowQuestion = "Take your time.";

const served = [/^answered$/, /^served again$/];
const cutRuntime = /^cut: native_runtime_unavailable, retry$/;
const lawful = [cutBy("native_runtime_unavailable")];

/** With turns on it. They go in this order: what a parked turn holds must not keep the last one from being idle. */
export function listAppServerPhases(service: ServiceProcess): readonly Phase[] {
  return [
    {
      name: "worker blocked",
      seconds: 26,
      maxWaitMs: 60_000,
      run: blockOne(service),
      lawful,
      outcomes: [...served, cutRuntime, /^a worker blocked$/],
    },
    {
      name: "app-server over its bound of memory",
      seconds: 26,
      maxWaitMs: 60_000,
      run: fillMemory(service),
      outcomes: [...served, /^replaced for memory$/, /^named in health, as it was replaced three times$/],
    },
    {
      name: "app-server stopped",
      seconds: 30,
      maxWaitMs: 40_000,
      run: strike(service, "SIGSTOP"),
      lawful,
      outcomes: [...served, cutRuntime, /^replaced after \d+ s$/],
    },
    {
      name: "app-server killed",
      seconds: 16,
      maxWaitMs: 40_000,
      run: strike(service, "SIGKILL"),
      lawful,
      outcomes: [...served, cutRuntime, /^replaced after \d+ s$/],
    },
    {
      name: "app-server over its bound of idle CPU",
      seconds: 24,
      maxWaitMs: 30_000,
      run: keepBusy(service),
      isQuiet: true,
      outcomes: [...served, /^replaced for idle_cpu$/, /^named in health, as it was replaced three times$/],
    },
  ];
}

/** SIGSTOP is a hang: it holds its connections. The phase is over when a successor serves. */
function strike(service: ServiceProcess, how: "SIGSTOP" | "SIGKILL"): BadCaller {
  return async (context, signal) => {
    const callers = askInTurn(context, signal);
    await pause(1_000);
    const pid = await service.appServerPid();
    if (pid === null) context.count("no app-server to strike");
    else {
      const beganMs = performance.now();
      process.kill(pid, how);
      while (!signal.aborted && !isOther(await service.appServerPid(), pid)) await pause(200);
      context.count(`replaced after ${Math.round((performance.now() - beganMs) / 1_000)} s`);
    }
    await callers;
    await untilServed(context, signal);
  };
}

const isOther = (now: number | null, before: number) => now !== null && now !== before;

function blockOne(service: ServiceProcess): BadCaller {
  return async (context, signal) => {
    const callers = askInTurn(context, signal);
    await pause(1_000);
    context.count((await blockWorker(service)) ? "a worker blocked" : "no worker could be blocked");
    await callers;
    await untilServed(context, signal);
  };
}

/** Conversations of several megabytes on slow turns, until it is noticed. */
function fillMemory(service: ServiceProcess): BadCaller {
  const input = `${slowQuestion} ${"All of this was said before. ".repeat(200_000)}`;
  return async (context, signal) => {
    const before = await countRotations(context, "memory");
    const noticed = awaitNotice(context, "memory", before);
    const isNoticed = { yet: false };
    void noticed.finally(() => {
      isNoticed.yet = true;
    });
    const caller = async () => {
      while (!isNoticed.yet) await askOnce(context, { input });
    };
    await Promise.all(Array.from({ length: 12 }, caller));
    context.count(await noticed);
    await untilServed(context, signal);
    await service.untilOneAppServer(20_000);
  };
}

/** Messages that are no turns, from beside the service: it does nothing for anybody, and is busy. */
function keepBusy(service: ServiceProcess): BadCaller {
  return async (context, signal) => {
    const before = await countRotations(context, "idle_cpu");
    const pid = await service.appServerPid();
    const path = /unix:\/\/([^\0]+)/.exec(
      await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
    )?.[1];
    if (path === undefined) return context.count("no socket to keep busy");
    const sockets = Array.from({ length: 4 }, () => sendWithoutEnd(path));
    try {
      context.count(await awaitNotice(context, "idle_cpu", before));
    } finally {
      for (const socket of sockets) socket.terminate();
    }
    await untilServed(context, signal);
    await service.untilOneAppServer(20_000);
  };
}

function sendWithoutEnd(path: string): WebSocket {
  const socket = new WebSocket(`ws+unix:${path}:/`, { perMessageDeflate: false });
  let id = 0;
  const ask = () => socket.send(JSON.stringify({ id: id++, method: "thread/loaded/list", params: {} }));
  socket.on("open", () => {
    for (let under = 0; under < 16; under += 1) ask();
  });
  socket.on("message", ask);
  // The app-server ends in the middle of this, as it should.
  socket.on("error", () => {});
  return socket;
}

type Reason = "memory" | "idle_cpu";

async function countRotations({ url }: BadCallerContext, reason: Reason): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return readMetric(metrics, "codex_native_api_app_server_rotations_total", { reason }) ?? 0;
}

/** What the service does about it: it replaces an app-server three times in an hour, and then says that it stays. */
async function awaitNotice(context: BadCallerContext, reason: Reason, before: number): Promise<string> {
  // A machine with other work to do is slow to fill, and to notice.
  const deadlineMs = performance.now() + noticeMs;
  while (performance.now() < deadlineMs) {
    if ((await countRotations(context, reason)) > before) return `replaced for ${reason}`;
    const health = await (await fetch(`${context.url}/v1/health`)).text();
    if (health.includes(`"app_server_${reason}"`)) return "named in health, as it was replaced three times";
    await pause(500);
  }
  return `${reason} was not noticed`;
}
