import { Counter, Histogram, type Registry } from "prom-client";
import type { RequestObservation } from "../../http/metrics-sink.js";
import { CallerLabels, prefix, toSeconds } from "./naming.js";

/** From a health check to a turn at its ceiling, in seconds. */
const requestBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WS"]);

/** Registers the metrics of requests. The returned function counts and times one request. */
export function createHttpMetrics(registry: Registry): (observation: RequestObservation) => void {
  const registers = [registry];
  const callers = new CallerLabels();
  const requests = new Counter({
    name: `${prefix}http_requests_total`,
    help: "HTTP requests that are over. code: of the error, empty where there was none; status 499: the client left.",
    labelNames: ["route", "method", "status", "code"],
    registers,
  });
  const byCaller = new Counter({
    name: `${prefix}caller_requests_total`,
    help: "HTTP requests that are over, by the name of the token they came with.",
    labelNames: ["caller"],
    registers,
  });
  const durations = new Histogram({
    name: `${prefix}http_request_duration_seconds`,
    help: "From a request's headers to the end of its answer.",
    labelNames: ["route", "method"],
    buckets: requestBuckets,
    registers,
  });
  return ({ route, method, status, errorCode, caller, durationMs }) => {
    const where = { route: route ?? "unmatched", method: methods.has(method) ? method : "other" };
    // 499 is nginx's status for a client that closed its request.
    const code = status === null ? "client_left" : (errorCode ?? "");
    requests.inc({ ...where, status: String(status ?? 499), code });
    durations.observe(where, toSeconds(durationMs));
    if (caller === null) return;
    byCaller.inc({ caller: callers.of(caller) });
  };
}
