/** Objects and lists within one another in a body. Of what Codex is sent it reads one less. */
export const maxBodyLevels = 128;

/** Bounds of a request's own parts: OpenAI's, so that what its API takes is taken here too. */
export const requestLimits = {
  /** Longest text of one part, output or set of arguments. Codex has no bound of its own for injected items (0.160, 0.169). */
  maxTextChars: 10_485_760,
  maxFileNameChars: 255,
  maxTools: 128,
  maxDomains: 100,
  /** As Codex checks it too, "to match the Responses API". */
  maxToolNameChars: 128,
  maxFormatNameChars: 64,
  maxIncludes: 32,
  maxModalities: 16,
} as const;
