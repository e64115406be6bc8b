/** A terminal that keeps what it shows, and a clock that goes on when a test says so. */
import type { CliContext, TextOutput } from "../../src/main/cli/cli-context.js";
import { cellsOf } from "../../src/main/cli/terminal.js";

/** Standard output and standard error of a command go to the same one. */
export class FakeTerminal {
  /** All that was written to it. */
  written = "";
  /** Widest line it ever showed, in columns. */
  widest = 0;
  readonly #columns: number;
  readonly #lines: string[] = [""];
  #column = 0;

  constructor(columns = 80) {
    this.#columns = columns;
  }

  /** The line of the cursor. */
  get line(): string {
    return this.#lines.at(-1) ?? "";
  }

  get screen(): string {
    return this.#lines.join("\n");
  }

  get output(): TextOutput {
    return {
      isTTY: true,
      columns: this.#columns,
      write: (text, written) => {
        this.#take(text);
        written?.();
        return true;
      },
    };
  }

  /** Obeys a carriage return, a line end, and the sequences that end a line and set colours; any other is shown. */
  #take(text: string): void {
    this.written += text;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal obeys.
    for (const [piece] of text.matchAll(/\u001b\[[\d;]*[Km]|./gsu)) {
      if (piece === "\r") this.#column = 0;
      else if (piece === "\n") {
        this.#lines.push("");
        this.#column = 0;
      } else if (piece.endsWith("K") && piece.length > 1) this.#setLine(this.line.slice(0, this.#column));
      else if (piece.length <= 2) this.#show(piece);
    }
    this.widest = Math.max(this.widest, cellsOf(this.line));
  }

  #show(character: string): void {
    const { line } = this;
    this.#setLine(line.slice(0, this.#column) + character + line.slice(this.#column + character.length));
    this.#column += character.length;
  }

  #setLine(line: string): void {
    this.#lines[this.#lines.length - 1] = line;
  }
}

/** For a `CliContext`. */
export class FakeClock {
  #nowMs = 5_000_000;
  readonly #schedules = new Set<{ readonly everyMs: number; readonly tick: () => void; nextAtMs: number }>();

  readonly monotonicClock = (): number => this.#nowMs;

  readonly repeat: CliContext["repeat"] = (everyMs, tick) => {
    const schedule = { everyMs, tick, nextAtMs: this.#nowMs + everyMs };
    this.#schedules.add(schedule);
    return () => void this.#schedules.delete(schedule);
  };

  /** Schedules that were not ended. */
  get running(): number {
    return this.#schedules.size;
  }

  /** Calls each tick that is due, once for each time it is. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const [next] = [...this.#schedules].sort((one, other) => one.nextAtMs - other.nextAtMs);
      if (next === undefined || next.nextAtMs > endMs) break;
      this.#nowMs = next.nextAtMs;
      next.nextAtMs += next.everyMs;
      next.tick();
    }
    this.#nowMs = endMs;
  }
}
