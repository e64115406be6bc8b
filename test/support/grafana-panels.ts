/** The panels of the Grafana dashboard, and what each asks Prometheus. */

/** One line of a panel: what Prometheus is asked, and the line's name. */
type Query = readonly [expr: string, legend: string];

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly type: "timeseries" | "stat" | "gauge";
  /** Grafana's name of it. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of 24 columns. Default: 8. */
  readonly width?: number;
  readonly isStacked?: true;
  /** Part of a whole, so that the axis ends at 1. */
  readonly isRatio?: true;
  /** From which value on a stat or gauge is yellow, and red. Default: never. */
  readonly warnFrom?: readonly [yellow: number, red: number];
  /** Texts in place of the values 0 and 1, the first in red. */
  readonly words?: readonly [no: string, yes: string];
}

export interface Row {
  readonly title: string;
  readonly height: number;
  readonly panels: readonly Panel[];
}

const scope = 'job=~"$job",instance=~"$instance"';

/** The series of a metric at the chosen instances, with further matchers if any. */
function series(name: string, matchers = ""): string {
  return `codex_native_api_${name}{${scope}${matchers === "" ? "" : `,${matchers}`}}`;
}

function rate(name: string, matchers = ""): string {
  return `rate(${series(name, matchers)}[$__rate_interval])`;
}

function perMinute(by: string, name: string, matchers = ""): string {
  return `60 * sum by (${by}) (${rate(name, matchers)})`;
}

function perHour(by: string, name: string, matchers = ""): string {
  return `3600 * sum by (${by}) (${rate(name, matchers)})`;
}

/** Quantiles of a histogram, the labels in `by` apart. */
function quantiles(name: string, by: readonly string[] = []): readonly Query[] {
  const labels = ["le", ...by].join(", ");
  const suffix = by.map((label) => ` {{${label}}}`).join("");
  return [0.5, 0.95].map((quantile) => [
    `histogram_quantile(${quantile}, sum by (${labels}) (${rate(`${name}_bucket`)}))`,
    `p${quantile * 100}${suffix}`,
  ]);
}

const cachedShare = `sum(${rate("tokens_total", 'type="cached_input"')}) / sum(${rate("tokens_total", 'type="input"')})`;

export const rows: readonly Row[] = [
  {
    title: "Now",
    height: 4,
    panels: [
      {
        title: "Ready",
        description: "Whether turns can run. If not, `codex-native-api health` says why.",
        type: "stat",
        unit: "none",
        width: 4,
        words: ["not ready", "ready"],
        queries: [[`min(${series("ready")})`, ""]],
      },
      {
        title: "Turns running",
        description: "Turns that run now.",
        type: "stat",
        unit: "none",
        width: 4,
        queries: [[`sum(${series("turns_running")})`, ""]],
      },
      {
        title: "Turns waiting",
        description: "Turns in the queue.",
        type: "stat",
        unit: "none",
        width: 4,
        warnFrom: [1, 100],
        queries: [[`sum(${series("queue_depth")})`, ""]],
      },
      {
        title: "Spare threads",
        description: "Native threads that were started ahead of need.",
        type: "stat",
        unit: "none",
        width: 4,
        queries: [[`sum(${series("spare_threads")})`, ""]],
      },
      {
        title: "Plan used",
        description: "Used part of each window of the plan. No value: unknown until the next turn.",
        type: "gauge",
        unit: "percentunit",
        width: 5,
        isRatio: true,
        warnFrom: [0.75, 0.9],
        queries: [[`max by (window) (${series("rate_limit_used_ratio")})`, "{{window}}"]],
      },
      {
        title: "Version",
        description: "Of the service and of Codex.",
        type: "stat",
        unit: "none",
        width: 3,
        queries: [
          [
            `count by (version, codex_version) (${series("build_info")})`,
            "{{version}}, Codex {{codex_version}}",
          ],
        ],
      },
    ],
  },
  {
    title: "Turns",
    height: 8,
    panels: [
      {
        title: "Turns by outcome",
        description: "Turns that ended, a minute. Each attempt and each segment of a turn counts.",
        type: "timeseries",
        unit: "cpm",
        isStacked: true,
        queries: [[perMinute("outcome", "turns_total"), "{{outcome}}"]],
      },
      {
        title: "Failed turns by code",
        description: "docs/errors.md says what each code means.",
        type: "timeseries",
        unit: "cpm",
        isStacked: true,
        queries: [[perMinute("code", "turns_total", 'outcome="failed"'), "{{code}}"]],
      },
      {
        title: "Turns by model",
        description: "Turns that ended, a minute.",
        type: "timeseries",
        unit: "cpm",
        isStacked: true,
        queries: [[perMinute("model", "turns_total"), "{{model}}"]],
      },
      {
        title: "Time to the first token",
        description: "From leaving the queue to the first output of the model.",
        type: "timeseries",
        unit: "s",
        queries: quantiles("turn_first_event_seconds"),
      },
      {
        title: "Length of a turn",
        description: "From leaving the queue to the end.",
        type: "timeseries",
        unit: "s",
        queries: quantiles("turn_duration_seconds"),
      },
      {
        title: "Wait in the queue",
        description: "Of turns that ran.",
        type: "timeseries",
        unit: "s",
        queries: quantiles("queue_wait_seconds"),
      },
      {
        title: "Running, waiting, and the account's limit",
        description: "The limit is what the account lets run at once, as far as the service has learned it.",
        type: "timeseries",
        unit: "none",
        queries: [
          [`sum(${series("turns_running")})`, "running"],
          [`sum(${series("queue_depth")})`, "waiting"],
          [`max by (model) (${series("upstream_limit")})`, "limit, {{model}}"],
        ],
      },
      {
        title: "Spare threads",
        description: "Threads that are ready, and the part of turns that found one.",
        type: "timeseries",
        unit: "none",
        queries: [
          [`sum(${series("spare_threads")})`, "ready"],
          [
            `sum(${rate("spare_thread_uses_total", 'result="taken"')}) / sum(${rate("spare_thread_uses_total")})`,
            "part of turns that found one",
          ],
        ],
      },
      {
        title: "Refused by the backend",
        description: "Turns that the backend refused as one too many. They went back into the queue.",
        type: "timeseries",
        unit: "cpm",
        queries: [[perMinute("instance", "upstream_refusals_total"), "{{instance}}"]],
      },
    ],
  },
  {
    title: "Plan and tokens",
    height: 8,
    panels: [
      {
        title: "Plan windows",
        description: "Used part of each window. A window that has ended has no value until the next turn.",
        type: "timeseries",
        unit: "percentunit",
        isRatio: true,
        queries: [[`max by (window) (${series("rate_limit_used_ratio")})`, "{{window}}"]],
      },
      {
        title: "Tokens by type",
        description:
          "An hour, at the present pace. cached_input is part of input, reasoning_output of output.",
        type: "timeseries",
        unit: "short",
        queries: [[perHour("type", "tokens_total"), "{{type}}"]],
      },
      {
        title: "Tokens by caller",
        description: "Input and output, an hour, by the name of their token; none without named tokens.",
        type: "timeseries",
        unit: "short",
        isStacked: true,
        queries: [[perHour("caller", "caller_tokens_total", 'type=~"input|output"'), "{{caller}}"]],
      },
      {
        title: "Tokens by model",
        description: "Input and output, an hour.",
        type: "timeseries",
        unit: "short",
        isStacked: true,
        queries: [[perHour("model", "model_tokens_total", 'type=~"input|output"'), "{{model}}"]],
      },
      {
        title: "Part of the input from the cache",
        description: "Cached input costs the plan less.",
        type: "timeseries",
        unit: "percentunit",
        isRatio: true,
        queries: [[cachedShare, "cached"]],
      },
    ],
  },
  {
    title: "Requests",
    height: 8,
    panels: [
      {
        title: "Requests by route",
        description: "A minute.",
        type: "timeseries",
        unit: "cpm",
        isStacked: true,
        queries: [[perMinute("route", "http_requests_total"), "{{route}}"]],
      },
      {
        title: "Errors by code",
        description: "A minute, also those told in a stream. client_left: the client disconnected.",
        type: "timeseries",
        unit: "cpm",
        isStacked: true,
        queries: [[perMinute("status, code", "http_requests_total", 'code!=""'), "{{status}} {{code}}"]],
      },
      {
        title: "Requests by caller",
        description: "By the name of their token; none without named tokens.",
        type: "timeseries",
        unit: "cpm",
        isStacked: true,
        queries: [[perMinute("caller", "caller_requests_total"), "{{caller}}"]],
      },
      {
        title: "Time to the end of the answer",
        description: "By route, the longest in twenty.",
        type: "timeseries",
        unit: "s",
        queries: quantiles("http_request_duration_seconds", ["route"]).slice(1),
      },
      {
        title: "WebSockets and stored responses",
        description: "What is kept open, and what is kept for continuation.",
        type: "timeseries",
        unit: "none",
        queries: [
          [`sum(${series("web_sockets")})`, "WebSockets"],
          [`sum(${series("continuation_entries")})`, "stored responses"],
        ],
      },
      {
        title: "Size of stored responses",
        description: "Bounded by `continuation.maxBytes`.",
        type: "timeseries",
        unit: "bytes",
        queries: [[`sum(${series("continuation_bytes")})`, "stored responses"]],
      },
    ],
  },
  {
    title: "Codex and the service",
    height: 8,
    panels: [
      {
        title: "App-server restarts",
        description: "In the last hour: all, and those where the old one finished its turns, by reason.",
        type: "timeseries",
        unit: "none",
        queries: [
          [`sum(increase(${series("app_server_restarts_total")}[1h]))`, "all"],
          [`sum by (reason) (increase(${series("app_server_rotations_total")}[1h]))`, "{{reason}}"],
        ],
      },
      {
        title: "Memory",
        description: "Resident, of the app-server with what it has started, and of the service.",
        type: "timeseries",
        unit: "bytes",
        queries: [
          [`sum by (instance) (${series("app_server_resident_memory_bytes")})`, "app-server {{instance}}"],
          [`sum by (instance) (process_resident_memory_bytes{${scope}})`, "service {{instance}}"],
        ],
      },
      {
        title: "CPU",
        description: "Cores that the service uses, and the part of a core that an idle app-server used.",
        type: "timeseries",
        unit: "none",
        queries: [
          [
            `sum by (instance) (rate(process_cpu_seconds_total{${scope}}[$__rate_interval]))`,
            "service {{instance}}",
          ],
          [`max by (instance) (${series("app_server_idle_cpu_ratio")})`, "idle app-server {{instance}}"],
        ],
      },
      {
        title: "Event loops",
        description: "Delay of the main thread (p99) and mean delay of each worker.",
        type: "timeseries",
        unit: "s",
        queries: [
          [`max by (instance) (nodejs_eventloop_lag_p99_seconds{${scope}})`, "main {{instance}}"],
          [
            `max by (instance, worker) (${series("worker_event_loop_delay_seconds")})`,
            "{{worker}} {{instance}}",
          ],
        ],
      },
      {
        title: "Workers and threads",
        description: "Workers that are connected, and native threads that Codex has loaded.",
        type: "timeseries",
        unit: "none",
        queries: [
          [`sum(${series("workers_ready")})`, "workers"],
          [`sum(${series("app_server_loaded_threads")})`, "loaded threads"],
        ],
      },
      {
        title: "Faults survived",
        description:
          "Faults that workers met and survived, an hour, and calls that Codex leaves unanswered now.",
        type: "timeseries",
        unit: "none",
        queries: [
          [perHour("fault", "worker_faults_total"), "{{fault}}"],
          [`sum(${series("unanswered_calls")})`, "unanswered calls"],
        ],
      },
    ],
  },
];
