import { maxTextChars } from "../../../workers/contract/long-text.js";

/** Objects and lists within one another in a body. Of what Codex is sent it reads one less. */
export const maxBodyLevels = 128;

/** Bounds of a request's own parts: OpenAI's, so that what its API takes is taken here too. */
export const requestLimits = {
  /** Longest text of one part, output or set of arguments. */
  maxTextChars,
  maxFileNameChars: 255,
  maxTools: 128,
  maxDomains: 100,
  /** As Codex checks it too, "to match the Responses API". */
  maxToolNameChars: 128,
  maxFormatNameChars: 64,
  maxIncludes: 32,
  maxModalities: 16,
  /**
   * UTF-8 bytes of a field's JSON, escapes not counted, for all fields that hold no part of the conversation. Ours: such a field is
   * hashed, compared and echoed in one go, so that its length holds up other callers.
   */
  maxFieldBytes: 4_194_304,
} as const;
