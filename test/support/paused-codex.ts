/** A `codex` that is the real one but for one step of its start, at which it stops for good. */
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findCodexBinary } from "../../src/main/codex/binary/codex-binary.js";
import { testCodexBin } from "./codex-version.js";
import { pollUntil } from "./service-harness.js";

/** The steps of a start in which Codex has a part, in their order. */
export const startSteps = [
  /** Asked for its version. */
  "version",
  /** Asked for its catalog of models. */
  "catalog",
  /** An app-server that runs and does not listen. */
  "spawned",
  /** An app-server that listens, and answers nobody. */
  "listening",
] as const;

export type StartStep = (typeof startSteps)[number];

export interface PausedCodex {
  /** The executable. */
  readonly bin: string;
  pauseAt(step: StartStep): Promise<void>;
  /** Resolves when the step is reached. */
  untilPaused(): Promise<void>;
  /** What comes from here on is the real one. */
  goOn(): Promise<void>;
}

export async function writePausedCodex(directory: string): Promise<PausedCodex> {
  const { path: real } = await findCodexBinary({ configured: testCodexBin, env: {}, timeoutMs: 10_000 });
  const [bin, wanted, reached] = ["paused-codex", "pause-at", "paused"].map((name) => join(directory, name));
  if (bin === undefined || wanted === undefined || reached === undefined) throw new Error("no path");
  const script = `#!${process.execPath}
const { spawn, spawnSync } = require("node:child_process");
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const { createServer } = require("node:net");
const args = process.argv.slice(2);
const [wanted, reached] = ${JSON.stringify([wanted, reached])};
const step = existsSync(wanted) ? readFileSync(wanted, "utf8") : null;
const socketPath = (args[args.indexOf("--listen") + 1] || "").replace("unix://", "");
const pause = () => {
  writeFileSync(reached, step);
  setInterval(() => {}, 60_000);
};
if (args[0] !== "app-server") {
  if (step === (args[0] === "--version" ? "version" : "catalog")) pause();
  else process.exit(spawnSync(${JSON.stringify(real)}, args, { stdio: "inherit" }).status ?? 1);
} else if (step === "spawned") {
  process.stdin.resume().on("end", () => process.exit(0));
  pause();
} else if (step === "listening") {
  if (!args.includes("--listen")) process.stdin.resume().on("end", () => process.exit(0));
  else createServer((socket) => socket.on("error", () => {})).listen(socketPath);
  pause();
} else {
  const child = spawn(${JSON.stringify(real)}, args, { stdio: "inherit" });
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code) => process.exit(code ?? 1));
}
`;
  await writeFile(bin, script);
  await chmod(bin, 0o700);
  return {
    bin,
    pauseAt: async (step) => {
      await rm(reached, { force: true });
      await writeFile(wanted, step);
    },
    untilPaused: () => pollUntil(() => readFile(reached).then(Boolean, () => false)),
    goOn: () => rm(wanted, { force: true }),
  };
}
