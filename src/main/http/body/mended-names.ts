import { isUtf8 } from "node:buffer";

const replacement = "\ufffd";
const replacementBytes = Buffer.from(replacement);

/**
 * The names of a body in which U+FFFD stands, by the level of their object. What is no text in a name, half a surrogate pair or bytes
 * that are no UTF-8, is read as U+FFFD, and two names may become one by it: a parser would keep the last of them without a word.
 */
export class MendedNames {
  /** By level: each name as it is read, and what it was before. */
  readonly #names: (Map<string, string> | undefined)[] = [];

  /** Another object begins on this level. */
  begin(level: number): void {
    if (this.#names.length > level) this.#names.length = level;
  }

  /** Takes a name as it was written, without its quotes. True where another name of its object reads the same. */
  add(level: number, written: Buffer): boolean {
    const isText = isUtf8(written);
    if (isText && !written.includes("\\") && !written.includes(replacementBytes)) return false;
    const unescaped = unescapeName(written.toString());
    const name = unescaped?.toWellFormed();
    if (unescaped === null || !name?.includes(replacement)) return false;
    const names = this.#names[level] ?? new Map<string, string>();
    this.#names[level] = names;
    const meant = isText ? unescaped : `bytes ${written.toString("latin1")}`;
    const other = names.get(name);
    if (other === undefined) names.set(name, meant);
    return other !== undefined && other !== meant;
  }
}

/** Null for what is no JSON. */
export function unescapeName(written: string): string | null {
  if (!written.includes("\\")) return written;
  try {
    return String(JSON.parse(`"${written}"`));
  } catch {
    return null;
  }
}
