import { Counter, Histogram, type Registry } from "prom-client";
import type { RequestObservation } from "../../http/metrics-sink.js";
import { prefix, toSeconds } from "./naming.js";

/** From a health check to a turn at its ceiling, in seconds. */
const requestBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** As nginx says it: the client closed its request. */
const clientLeft = { status: "499", code: "client_left" } as const;

/** Bound on the callers that have a label of their own: a reload may bring new names for ever. */
export const maxCallerLabels = 256;

class CallerLabels {
  readonly #known = new Set<string>();

  labelOf(caller: string): string {
    if (this.#known.size < maxCallerLabels) this.#known.add(caller);
    return this.#known.has(caller) ? caller : "other";
  }
}

export class HttpMetrics {
  readonly #requests: Counter<"route" | "method" | "status" | "code">;
  readonly #byCaller: Counter<"caller">;
  readonly #callers = new CallerLabels();
  readonly #durations: Histogram<"route" | "method">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#requests = new Counter({
      name: `${prefix}http_requests_total`,
      help: "HTTP requests that are over. code: of the error, empty where there was none; status 499: the client left.",
      labelNames: ["route", "method", "status", "code"],
      registers,
    });
    this.#byCaller = new Counter({
      name: `${prefix}caller_requests_total`,
      help: "HTTP requests that are over, by the name of the token they came with.",
      labelNames: ["caller"],
      registers,
    });
    this.#durations = new Histogram({
      name: `${prefix}http_request_duration_seconds`,
      help: "From a request's headers to the end of its answer.",
      labelNames: ["route", "method"],
      buckets: requestBuckets,
      registers,
    });
  }

  observe({ route, method, status, errorCode, caller, durationMs }: RequestObservation): void {
    const where = { route: route ?? "unmatched", method: methods.has(method) ? method : "other" };
    const how = status === null ? clientLeft : { status: String(status), code: errorCode ?? "" };
    this.#requests.inc({ ...where, ...how });
    if (caller !== null) this.#byCaller.inc({ caller: this.#callers.labelOf(caller) });
    this.#durations.observe(where, toSeconds(durationMs));
  }
}
