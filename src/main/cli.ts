#!/usr/bin/env node
/** The only file that reads argv and env, listens to signals and ends the process. */
import { spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";
import { createDeferred, waitWithin } from "../workers/contract/wait.js";
import type { ProcessEvents, ProgramEnd } from "./cli/cli-context.js";
import { runCli } from "./cli/run-cli.js";
import { readMachine } from "./config/machine.js";

let isHungUp = false;

/** A program that fails to start a browser says so sooner. */
const startedAfterMs = 3_000;

const events: ProcessEvents = {
  onSignal: (listener) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => listener(signal));
  },
  // Under nohup there is no terminal to close. Without a listener node would end at SIGHUP all the same.
  onHangup: (listener) => {
    const hadTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
    process.on("SIGHUP", () => {
      isHungUp = hadTerminal && isTerminalGone();
      listener(isHungUp);
    });
  },
  onCrash: (listener) => {
    process.on("uncaughtException", listener);
    process.on("unhandledRejection", listener);
  },
};

// `ask | head` closes the pipe early. Each write reports that; without a listener it would crash the process.
process.stdout.on("error", () => {});

process.exitCode = await runCli({
  argv: process.argv.slice(2),
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  machine: readMachine(),
  events,
  wallClock: Date.now,
  monotonicClock: () => performance.now(),
  repeat: (everyMs, tick) => {
    const timer = setInterval(tick, everyMs).unref();
    return () => clearInterval(timer);
  },
  // Loaded late, so that help, version and configuration faults appear at once, even if the rest cannot load.
  createService: async (options) => {
    const { CodexNativeApiService } = await import("./service.js");
    // CODEX_NATIVE_API_ENABLE is for hosts: `serve` always serves.
    const config = { ...options.config, enabled: true };
    return new CodexNativeApiService({ environment: process.env, ...options, config });
  },
  createRuntime: async (config, logger) => {
    const { createPrivateRuntime } = await import("./cli/private-runtime.js");
    return createPrivateRuntime(config, logger, process.env);
  },
  startDemoModel: async (codexHome) => {
    const { loadDemoModel } = await import("./cli/commands/demo.js");
    const startDemoModel = await loadDemoModel(new URL("../testing/demo.js", import.meta.url));
    return startDemoModel(codexHome);
  },
  runProgram: (command, args) =>
    new Promise((resolve) => {
      const child = spawn(command, args, { stdio: "inherit" });
      child.once("error", ({ code = "unknown error" }: NodeJS.ErrnoException) =>
        resolve({ outcome: "not_started", errorCode: code }),
      );
      child.once("exit", (code) => resolve({ outcome: "exited", code: code ?? -1 }));
    }),
  startProgram: (command, args) => {
    const child = spawn(command, args, { stdio: "ignore", detached: true });
    const ended = createDeferred<ProgramEnd>();
    child.once("error", ({ code = "unknown error" }: NodeJS.ErrnoException) =>
      ended.resolve({ outcome: "not_started", errorCode: code }),
    );
    child.once("exit", (code) => ended.resolve({ outcome: "exited", code: code ?? -1 }));
    child.unref();
    // A browser that was not running yet may be this very program, and runs for as long as it likes.
    return waitWithin(ended.promise, { timeoutMs: startedAfterMs }, () => ({ outcome: "exited", code: 0 }));
  },
  self: {
    nodePath: process.execPath,
    cliPath: fileURLToPath(import.meta.url),
    userId: process.getuid?.() ?? 0,
  },
  // An open handle must not keep the process of a stopped service alive.
  exit: (code) => {
    if (isHungUp) {
      // node aborts when it restores the modes of a closed terminal. The signal also shows why the process ended.
      process.removeAllListeners("SIGHUP");
      process.kill(process.pid, "SIGHUP");
    }
    process.exit(code);
  },
});

/** Whether this process has lost the terminal that it was started in. */
function isTerminalGone(): boolean {
  try {
    closeSync(openSync("/dev/tty", constants.O_RDWR | constants.O_NOCTTY));
    return false;
  } catch {
    // ENXIO where it has closed; on a platform without this device SIGHUP means nothing else.
    return true;
  }
}
