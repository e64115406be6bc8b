/** How values are written in environment variables. */

const yes: readonly string[] = ["1", "true", "on", "yes", "y"];
const no: readonly string[] = ["0", "false", "off", "no", "n"];

/** Completes "it takes …". */
export const yesOrNoWords = "1 or 0, also as true or false, on or off, yes or no, y or n";

/** A yes or no in any case; null for anything else. */
export function readYesOrNo(text: string): boolean | null {
  const word = text.trim().toLowerCase();
  if (yes.includes(word)) return true;
  return no.includes(word) ? false : null;
}
