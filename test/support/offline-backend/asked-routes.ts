import type { IncomingMessage } from "node:http";

/** One HTTP request or upgrade, whatever it asked for. */
export interface AskedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** With its question mark; empty when there is none. */
  readonly query: string;
  readonly isUpgrade: boolean;
  readonly atMs: number;
}

const maxUnknown = 100;

/** What was asked, in order and bounded, and the routes among it that the backend has no answer for. */
export class AskedRoutes {
  readonly requests: AskedRequest[] = [];
  readonly #unknown = new Set<string>();
  readonly #expected: "any" | readonly string[];
  readonly #maxRecorded: number;

  constructor(maxRecorded: number, expectedUnknown: "any" | readonly string[]) {
    this.#maxRecorded = maxRecorded;
    this.#expected = expectedUnknown;
  }

  add(request: IncomingMessage, isUpgrade: boolean): AskedRequest {
    const { pathname: path, search: query } = new URL(request.url ?? "/", "http://localhost");
    const atMs = performance.timeOrigin + performance.now();
    const asked = { method: request.method ?? "GET", path, query, isUpgrade, atMs };
    if (this.#maxRecorded > 0) {
      this.requests.push(asked);
      if (this.requests.length > this.#maxRecorded) this.requests.shift();
    }
    return asked;
  }

  addUnknown({ method, path }: AskedRequest): void {
    if (this.#unknown.size < maxUnknown) this.#unknown.add(`${method} ${path}`);
  }

  /** Each unknown route that no test announced, as `GET /path`. */
  get unexpected(): readonly string[] {
    const expected = this.#expected;
    return expected === "any" ? [] : [...this.#unknown].filter((route) => !expected.includes(route));
  }
}
