#!/usr/bin/env node
/** The process's edge: the only file that reads argv and env, listens to signals and ends the process. */
import { closeSync, constants, openSync } from "node:fs";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";
import type { ProcessEvents } from "./cli/cli-context.js";
import { runProgram } from "./cli/program-runner.js";
import { runCli } from "./cli/run-cli.js";
import { readMachine } from "./config/machine.js";

let isHungUp = false;

const events: ProcessEvents = {
  onSignal: (listener) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => listener(signal));
  },
  // Under nohup there is no terminal, so that closing one ends nothing (without a listener node would end: it undoes nohup).
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

// `ask | head` closes the pipe early. Whoever writes is told by the write; without a listener it would be a crash.
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
  // Loaded late, so that help, version and configuration faults answer at once and need nothing else to work.
  createService: async (options) => {
    const { CodexNativeApiService } = await import("./service.js");
    // CODEX_NATIVE_API_ENABLE is for hosts: whoever says `serve` wants it served.
    const config = { ...options.config, enabled: true };
    return new CodexNativeApiService({ ...options, config, environment: process.env });
  },
  createRuntime: async (config, logger) => {
    const { createPrivateRuntime } = await import("./cli/private-runtime.js");
    return createPrivateRuntime(config, logger, process.env);
  },
  runProgram,
  self: {
    nodePath: process.execPath,
    cliPath: fileURLToPath(import.meta.url),
    userId: process.getuid?.() ?? 0,
  },
  // A stray handle must not keep a stopped service alive.
  exit: (code) => {
    if (isHungUp) {
      // node aborts when it puts back the modes of a terminal that is gone. This says too why the process ended.
      process.removeAllListeners("SIGHUP");
      process.kill(process.pid, "SIGHUP");
    }
    process.exit(code);
  },
});

/** Whether the terminal that this process was started in has hung up: then it has none any more. */
function isTerminalGone(): boolean {
  try {
    closeSync(openSync("/dev/tty", constants.O_RDWR | constants.O_NOCTTY));
    return false;
  } catch {
    // ENXIO where it is gone; on a platform without such a device SIGHUP has no other meaning.
    return true;
  }
}
