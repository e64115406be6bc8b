import { codexLevels, findTooDeep } from "../contract/json-depth.js";
import { mayHoldHalves, mendTexts } from "../contract/well-formed.js";
import { TooDeepError } from "./errors.js";

/** No shorter text can be nested too deep. */
const deepChars = 2 * codexLevels;

/**
 * A message as Codex can read it, whoever composed it: what Codex cannot read it never answers, and the call would wait for
 * nothing. Half surrogate pairs become U+FFFD.
 *
 * @throws TooDeepError, and what `JSON.stringify` throws for what is no JSON
 */
export function encodeMessage(message: object): string {
  const text = JSON.stringify(message);
  if (text.length > deepChars && findTooDeep(message, codexLevels) !== null) {
    throw new TooDeepError(`a message is nested deeper than ${codexLevels} levels`);
  }
  return mayHoldHalves(text) ? JSON.stringify(mendTexts(message)) : text;
}
