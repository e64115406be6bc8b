/** Where a text stops being JSON, and what is wrong there. Browsers say it each in words of their own, or not at all. */
export type JsonFaultKind =
  | "value"
  | "key"
  | "colon"
  | "comma_or_brace"
  | "comma_or_bracket"
  | "unended_string"
  | "escape"
  | "control"
  | "more"
  | "deep";

export interface JsonFault {
  readonly kind: JsonFaultKind;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters as an editor counts them. */
  readonly column: number;
}

const maxDepth = 100;

/** Null: it is JSON. */
export function findJsonFault(text: string): JsonFault | null {
  const scan = new JsonScan(text);
  const kind = scan.document();
  if (kind === null) return null;
  const before = text.slice(0, scan.at);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { kind, line: before.split("\n").length, column: [...before.slice(lineStart)].length + 1 };
}

/** Each method returns what is wrong at `at`, or null and has gone past what it read. */
class JsonScan {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonFaultKind | null {
    const fault = this.#value(0);
    if (fault !== null) return fault;
    this.#space();
    return this.at < this.#text.length ? "more" : null;
  }

  #value(depth: number): JsonFaultKind | null {
    this.#space();
    if (depth > maxDepth) return "deep";
    const next = this.#text[this.at];
    if (next === "{") return this.#list("}", () => this.#member(depth));
    if (next === "[") return this.#list("]", () => this.#value(depth + 1));
    if (next === '"') return this.#string();
    const word = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
    word.lastIndex = this.at;
    if (!word.test(this.#text)) return "value";
    this.at = word.lastIndex;
    return null;
  }

  #list(end: "}" | "]", readOne: () => JsonFaultKind | null): JsonFaultKind | null {
    this.at += 1;
    this.#space();
    if (this.#take(end)) return null;
    for (;;) {
      const fault = readOne();
      if (fault !== null) return fault;
      this.#space();
      if (this.#take(end)) return null;
      if (!this.#take(",")) return end === "}" ? "comma_or_brace" : "comma_or_bracket";
    }
  }

  #member(depth: number): JsonFaultKind | null {
    this.#space();
    if (this.#text[this.at] !== '"') return "key";
    const fault = this.#string();
    if (fault !== null) return fault;
    this.#space();
    return this.#take(":") ? this.#value(depth + 1) : "colon";
  }

  #string(): JsonFaultKind | null {
    const start = this.at;
    this.at += 1;
    for (;;) {
      const next = this.#text[this.at];
      if (next === undefined) {
        // Its beginning is where one looks for the missing end.
        this.at = start;
        return "unended_string";
      }
      if (next < " ") return "control";
      if (next === "\\") {
        const known = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;
        known.lastIndex = this.at;
        if (!known.test(this.#text)) return "escape";
        this.at = known.lastIndex;
        continue;
      }
      this.at += 1;
      if (next === '"') return null;
    }
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.at] ?? "")) this.at += 1;
  }

  #take(character: string): boolean {
    if (this.#text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }
}
