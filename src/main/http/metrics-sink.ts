/** What the listener tells of its requests, and where it gets what it serves at `/metrics`. */

/** One request, when it is over. */
export interface RequestObservation {
  /** Pattern of the route that matched; null where none did. */
  readonly route: string | null;
  readonly method: string;
  /** Null where the client left before its answer was whole. */
  readonly status: number | null;
  /** Code of the error, also of one told in a stream that began with 200; null where there was none. */
  readonly errorCode: string | null;
  /** Name of the caller's token; null where none was needed or it was refused. */
  readonly caller: string | null;
  readonly durationMs: number;
}

/** A scrape's answer. */
export interface MetricsPage {
  readonly contentType: string;
  readonly text: string;
}

/** Where a server reports its requests, and what it serves at `/metrics`. */
export interface MetricsSink {
  /** A request has come that is no poll of health or metrics. Must not throw. Default: not told. */
  noteRequest?(): void;
  /** Must not throw. */
  observeRequest(observation: RequestObservation): void;
  /** Built from what is already known: never waits for Codex. */
  render(): Promise<MetricsPage>;
}
