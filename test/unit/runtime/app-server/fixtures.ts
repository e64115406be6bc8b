import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { SpawnSpec } from "../../../../src/workers/contract/endpoint.js";

export interface WithTeardown {
  teardown(end: () => unknown): unknown;
}

export async function makeDirectory(t: WithTeardown): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "cna-test-"));
  t.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

/** An executable shell script. */
export async function writeScript(path: string, body: string): Promise<string> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

/** What the scripted app-server does; see `scripted-app-server.ts`. */
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

/** Polls a condition that no event tells; fails loudly when it never comes true. */
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

/** A process that only lives, ended by the test; its pid. */
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

/** A pid of a process that has ended and is reaped. */
export async function makeDeadPid(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  await once(child, "exit");
  if (child.pid === undefined) throw new Error("no pid");
  return child.pid;
}

/** A promise with its handles, for callbacks under test. */
export function createSignal<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
