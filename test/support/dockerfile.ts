/** Reads a Dockerfile. */

export interface Instruction {
  /** In capitals. */
  readonly name: string;
  /** Continued lines as one. */
  readonly value: string;
}

export function listInstructions(text: string): readonly Instruction[] {
  return text
    .replace(/^\s*#.*\n/gm, "")
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [name = "", ...rest] = line.split(" ");
      return { name, value: rest.join(" ").trim() };
    });
}
