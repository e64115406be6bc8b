/** Text for people: wrapped to a width, and coloured on a terminal. */
import type { Environment } from "../config/machine.js";
import type { TextOutput } from "./cli-context.js";

/** Lines no wider than `width`, words kept whole. */
export function wrapWords(sentence: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of sentence.trim().split(/\s+/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length > width && line !== "") {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

/** `head`, and a text in the column beside it. */
export function renderEntry(head: string, text: string, column: number, width: number): string {
  const lines = wrapWords(text, width - column);
  // A head that leaves no gap gets its own line.
  const first = head.length > column - 2 ? [head] : [`${head.padEnd(column)}${lines.shift() ?? ""}`];
  return [...first, ...lines.map((line) => " ".repeat(column) + line)].join("\n");
}

const colours = { red: 31, green: 32, yellow: 33 } as const;

export type Paint = (text: string, colour: keyof typeof colours) => string;

/** Colours on a terminal, unless `NO_COLOR` is set; elsewhere the plain text. */
export function makePaint(output: TextOutput, env: Environment): Paint {
  const isColoured = output.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
  return (text, colour) => (isColoured ? `\u001b[${colours[colour]}m${text}\u001b[0m` : text);
}

/** Resolves once the text is written, so that a slow reader slows the writer. Rejects when the reader has gone. */
export function writeFully(output: TextOutput, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}

/**
 * Replaces the control characters of foreign text, such as a model's: on a terminal they could retitle the window, write to the
 * clipboard or hide earlier text. Line ends and tabs stay.
 */
export function showSafely(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, "\uFFFD");
}

/** Foreign text on one line: also without bidi controls, which could reorder what stands beside it, and without half characters. */
export function showOnOneLine(text: string): string {
  return showSafely(text.toWellFormed().replace(/\s+/gu, " ")).replace(/\p{Bidi_Control}/gu, "\uFFFD");
}

const noWidth = /^[\p{M}\p{Cf}]$/u;
const twoCells =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Yi}\p{Extended_Pictographic}\u3000-\u303E\uFF01-\uFF60\uFFE0-\uFFE6]$/u;

/** Columns that a text takes on a terminal, at most: what is joined into one picture counts as its parts. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const character of text) cells += cellsOfCharacter(character);
  return cells;
}

function cellsOfCharacter(character: string): number {
  if (noWidth.test(character)) return 0;
  return twoCells.test(character) ? 2 : 1;
}

/** The beginning of a text, no wider than `cells`. */
export function firstCells(text: string, cells: number): string {
  let kept = "";
  let left = cells;
  for (const character of text) {
    left -= cellsOfCharacter(character);
    if (left < 0) break;
    kept += character;
  }
  return kept;
}

/** The end of a text, no wider than `cells`, from the beginning of a word if there is one; `…` marks the cut. */
export function lastCells(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text;
  const kept = firstCells([...text].reverse().join(""), cells - 2);
  const end = [...kept].reverse().join("");
  return `… ${end.slice(end.indexOf(" ") + 1)}`;
}
