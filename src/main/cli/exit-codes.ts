/** How a command ended. Scripts and monitors rely on these; docs/cli.md lists them, and a test pins them. */
export const exitCodes = {
  done: 0,
  failed: 1,
  /** The command line or the configuration is at fault, the token included; nothing was started. */
  configuration: 2,
  /** No service answers, or Codex behind it cannot run turns now. */
  notReady: 3,
  /** Ended by Ctrl-C or SIGTERM before it was done. */
  interrupted: 130,
} as const;

export type ExitName = keyof typeof exitCodes;

/** In words, for help and documents. */
export const exitMeanings: Readonly<Record<ExitName, string>> = {
  done: "done as asked",
  failed: "it was tried and failed",
  configuration: "the command line or the configuration is at fault (a wrong token too); nothing was started",
  notReady: "no service answers, or Codex behind it cannot run turns now",
  interrupted: "interrupted by Ctrl-C or SIGTERM",
};

export const exitNames: readonly ExitName[] = ["done", "failed", "configuration", "notReady", "interrupted"];
