import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isSystemError } from "../../../src/main/codex/home/private-files.js";
import type { SpawnSpec } from "../../../src/workers/contract/endpoint.js";
import { makeTemporaryDirectory } from "../../support/temporary-directory.js";

export interface WithTeardown {
  teardown(end: () => unknown): unknown;
}

export { makeTemporaryDirectory as makeDirectory };

/**
 * Writes one more file into each of the directories in each turn of the event loop, as a process does that still works there:
 * no removal that lists them finds them empty afterwards. Until the test ends: a turn that finds none may have looked between
 * the two names of a directory that is being renamed.
 */
export function keepWriting(t: WithTeardown, findDirectories: () => readonly string[]): void {
  let written = 0;
  let isOver = false;
  const write = (): void => {
    if (isOver) return;
    for (const directory of findDirectories()) {
      try {
        writeFileSync(join(directory, String(written)), "");
      } catch (error) {
        // It was renamed since it was found.
        if (!isSystemError(error, "ENOENT")) throw error;
      }
    }
    written += 1;
    setImmediate(write);
  };
  write();
  t.teardown(() => {
    isOver = true;
  });
}

/** Writes an executable shell script and returns its path. */
export async function writeScript(path: string, body: string): Promise<string> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

/** Names the behaviour of the scripted app-server; see `scripted-app-server.ts`. */
export type Script = "listen" | "drain" | "deaf" | "die" | "silent" | "refuse" | "with-child";

export function scriptedSpawn(script: Script, options: { readonly stopStepMs?: number } = {}): SpawnSpec {
  return {
    command: process.execPath,
    args: [fileURLToPath(new URL("./scripted-app-server.js", import.meta.url)), script],
    cwd: tmpdir(),
    env: { PATH: process.env.PATH ?? "" },
    stopStepMs: options.stopStepMs ?? 2_000,
  };
}

/** Polls a condition that has no event; throws if it does not become true in time. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error("the condition never came true");
    await delay(10);
  }
}

/** Starts a process that does nothing, and ends it after the test. Returns its pid. */
export async function startSleeper(t: WithTeardown): Promise<number> {
  const sleeper = spawn(process.execPath, ["-e", "setInterval(() => {}, 60_000)"], { stdio: "ignore" });
  t.teardown(async () => {
    if (sleeper.exitCode !== null || sleeper.signalCode !== null) return;
    sleeper.kill("SIGKILL");
    await once(sleeper, "exit");
  });
  await once(sleeper, "spawn");
  if (sleeper.pid === undefined) throw new Error("no pid");
  return sleeper.pid;
}

/** The pid of a process that has ended and was reaped. */
export async function makeDeadPid(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  await once(child, "exit");
  if (child.pid === undefined) throw new Error("no pid");
  return child.pid;
}

/** A promise with its `resolve`, for callbacks under test. */
export function createSignal<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
