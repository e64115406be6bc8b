/** What the listener reports of its requests, and where it gets the page of `/metrics` from. */

/** One request, when it is over. */
export interface RequestObservation {
  /** Pattern of the route that matched; null where none did. */
  readonly route: string | null;
  readonly method: string;
  /** Null if the caller left before the end of its answer. */
  readonly status: number | null;
  /** Code of the error, which may be an event of a stream that began with 200; null if there was none. */
  readonly errorCode: string | null;
  /** Name of the caller's token; null if none was needed or it was refused. */
  readonly caller: string | null;
  readonly durationMs: number;
}

/** A scrape's answer. */
export interface MetricsPage {
  readonly contentType: string;
  readonly text: string;
}

/** What a server says of itself at a scrape. */
export interface ServerReadings {
  /** That are open. */
  readonly webSockets: number;
  /** Readers of `/v1/events`. */
  readonly eventReaders: number;
}

/** Where a server reports its requests, and what it serves at `/metrics`. */
export interface MetricsSink {
  /** Called for each request that is no poll of health or metrics. Must not throw. Default: not called. */
  noteRequest?(): void;
  /** Must not throw. */
  observeRequest(observation: RequestObservation): void;
  /** Built from the last known state: never waits for Codex. */
  render(server: ServerReadings): Promise<MetricsPage>;
}
