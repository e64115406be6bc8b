export const exitCodes = {
  done: 0,
  failed: 1,
  /** The configuration or the command line is at fault; nothing was started. */
  configuration: 2,
} as const;
