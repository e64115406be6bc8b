#!/usr/bin/env node
/** The process's edge: the only file that reads argv and env, listens to signals and ends the process. */
import { fileURLToPath } from "node:url";
import { runProgram } from "./cli/program-runner.js";
import { type ProcessEvents, runCli } from "./cli/run-cli.js";
import { readMachine } from "./config/machine.js";

const events: ProcessEvents = {
  // SIGHUP is left alone: a listener of ours would undo `nohup`.
  onSignal: (listener) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => listener(signal));
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
  exit: (code) => process.exit(code),
});
