import { Writable } from "node:stream";
import { type Logger, pino } from "pino";

/** A logger whose lines a test can read, debug level included. */
export class LogLines {
  readonly lines: Readonly<Record<string, unknown>>[] = [];
  readonly logger: Logger;
  #waiting: (() => void)[] = [];

  constructor() {
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.lines.push(JSON.parse(chunk.toString()));
        for (const wake of this.#waiting.splice(0)) wake();
        done();
      },
    });
    this.logger = pino({ level: "debug", base: null }, sink);
  }

  async logged(event: string): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      const line = this.lines.find((candidate) => candidate.event === event);
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
