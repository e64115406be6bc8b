import { spawn } from "node:child_process";
import { once } from "node:events";
import { CodexExecContestant } from "../contestants/codex-exec.js";
import type { Contestant } from "../contestants/contestant.js";
import { FloorClient } from "../contestants/floor.js";
import { openStdioWire } from "../contestants/floor-wires.js";
import { spreadOf } from "../measure/statistics.js";
import { atMost, type Figure } from "../report/figure.js";
import type { RequestSummary } from "../rig/backend-messages.js";
import { type CodexTools, findCodexTools } from "../rig/codex-tools.js";
import type { Resources } from "../rig/resources.js";
import { callService, layGround, startService } from "../rig/rig.js";
import { stopProcess } from "../rig/stop-process.js";
import type { Scenario } from "./scenario.js";

const reply = { deltas: 1, charactersPerDelta: 3, firstDelayMs: 0, delayMs: 0 };
const prompt = "hello";
const stopGraceMs = 3_000;

/** What the model is given to read for a side task of one word. */
export const cost: Scenario = {
  name: "cost",
  title: "What the model sees for a side task of one word",
  quickSeconds: 10,
  fullSeconds: 10,
  run: async ({ resources }) => {
    const ground = await layGround(resources);
    await ground.backend.setReply(reply);
    const service = await startService(resources, ground);
    const tools = await findCodexTools(ground, await service.readDefaultModel());
    const { json } = await callService(resources, service);
    const contestants = [json, await startDefaultThreads(resources, tools), new CodexExecContestant(tools)];
    const figures: Figure[] = [];
    const details: { readonly name: string; readonly requests: readonly RequestSummary[] }[] = [];
    for (const contestant of contestants) {
      const requests = await ground.backend.recordRequests(() => contestant.runTurn(prompt));
      details.push({ name: contestant.name, requests });
      figures.push(...report(contestant, requests));
    }
    const remarks = [
      "With current models Codex puts its own instructions and tools into input items: their bytes are in what is visible.",
    ];
    return { figures, details, remarks };
  },
};

/** An app-server and its threads as Codex has them when nothing is set. */
async function startDefaultThreads(resources: Resources, tools: CodexTools): Promise<Contestant> {
  const child = spawn(tools.codexPath, ["app-server"], {
    cwd: tools.workDirectory,
    env: { ...tools.environment },
    stdio: ["pipe", "pipe", "ignore"],
  });
  await resources.defer("default app-server", () => stopProcess(child, stopGraceMs));
  await once(child, "spawn");
  const client = await FloorClient.connect({
    name: "default Codex thread",
    wire: openStdioWire(child),
    appServerPid: child.pid ?? null,
    thread: { model: tools.model, cwd: tools.workDirectory },
    prompt: "input",
  });
  await resources.defer("default threads", () => client.close());
  return client;
}

function report({ name }: Contestant, requests: readonly RequestSummary[]): readonly Figure[] {
  const isService = name.startsWith("service");
  const one = (what: string, unit: Figure["unit"], value: number, limit: number | null): Figure => ({
    what: `${name}: ${what}`,
    unit,
    spread: spreadOf([value]),
    target: isService && limit !== null ? atMost(limit) : null,
  });
  const sum = (read: (request: RequestSummary) => number) =>
    requests.length === 0 ? Number.NaN : requests.reduce((total, request) => total + read(request), 0);
  return [
    one(
      "model requests",
      "",
      sum(() => 1),
      1,
    ),
    one(
      "tools",
      "",
      sum(({ tools }) => tools),
      0,
    ),
    one(
      "instructions",
      "bytes",
      sum(({ instructionsBytes }) => instructionsBytes),
      0,
    ),
    one(
      "input items",
      "",
      sum(({ inputItems }) => inputItems),
      1,
    ),
    one("visible to the model", "bytes", sum(visibleBytes), null),
    one(
      "whole request",
      "bytes",
      sum(({ bodyBytes }) => bodyBytes),
      null,
    ),
  ];
}

function visibleBytes({ instructionsBytes, toolsBytes, inputBytes }: RequestSummary): number {
  return instructionsBytes + toolsBytes + inputBytes;
}
