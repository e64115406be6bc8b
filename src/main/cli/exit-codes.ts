/** The exit codes of all commands. Scripts and monitors rely on them; docs/cli.md lists them, and a test pins them. */
export const exitCodes = {
  done: 0,
  failed: 1,
  /** The command line or the configuration is at fault, the token included; nothing was started. */
  configuration: 2,
  /** No service answers, or its Codex cannot run turns now. */
  notReady: 3,
  /** Ctrl-C or SIGTERM ended it. */
  interrupted: 130,
} as const;

export type ExitName = keyof typeof exitCodes;

/** In words, for help and documents. */
export const exitMeanings: Readonly<Record<ExitName, string>> = {
  done: "success",
  failed: "the command ran and failed",
  configuration: "the command line or the configuration is at fault (a wrong token too); nothing was started",
  notReady: "no service answers, or its Codex cannot run turns now",
  interrupted: "Ctrl-C or SIGTERM ended it",
};

export const exitNames: readonly ExitName[] = ["done", "failed", "configuration", "notReady", "interrupted"];
