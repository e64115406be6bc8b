/** The layers of the sources, from the top down, and what each may import beside itself. */
import type { SourceFile, SourceImport } from "./source-imports.js";

export interface Layer {
  readonly name: string;
  /** A folder (with a trailing slash) or a file; the longest match decides. */
  readonly places: readonly string[];
  readonly mayImport: readonly string[];
}

const ground = ["errors", "contract"] as const;

export const layers: readonly Layer[] = [
  {
    name: "package entry",
    places: ["src/main/package-entry.ts", "src/main/outside-bundles.ts"],
    mayImport: ["public surface"],
  },
  {
    name: "public surface",
    places: ["src/main/index.ts"],
    mayImport: [
      "service",
      "http",
      "dialects",
      "metrics sink",
      "runtime",
      "turns",
      "codex",
      "runtime types",
      "history",
      "continuation",
      "side tasks",
      "codex choices",
      "config",
      "named tokens",
      "observability",
      "errors",
    ],
  },
  {
    name: "cli",
    places: ["src/main/cli.ts", "src/main/cli/"],
    mayImport: [
      "service",
      "runtime",
      "codex",
      "runtime types",
      "dialects",
      "dialect parts",
      "host names",
      "outbound routes",
      "readable files",
      "machine",
      "near names",
      "config",
      "observability",
      "version",
      ...ground,
    ],
  },
  {
    name: "service",
    places: ["src/main/service.ts", "src/main/service/"],
    mayImport: [
      "http",
      "metrics",
      "metrics sink",
      "runtime",
      "codex",
      "runtime types",
      "continuation",
      "readable files",
      "machine",
      "near names",
      "config",
      "observability",
      "version",
      ...ground,
    ],
  },
  {
    name: "http",
    places: ["src/main/http/"],
    mayImport: [
      "exchange",
      "dialects",
      "dialect parts",
      "continuation",
      "runtime types",
      "history",
      "metrics sink",
      "readable files",
      "host names",
      "observability",
      "named tokens",
      "option defaults",
      "page files",
      ...ground,
    ],
  },
  {
    name: "metrics",
    places: ["src/main/observability/metrics/"],
    mayImport: ["runtime types", "metrics sink", ...ground],
  },
  {
    name: "exchange",
    places: ["src/main/exchange/"],
    mayImport: [
      "dialects",
      "dialect parts",
      "continuation",
      "runtime types",
      "history",
      "readable files",
      ...ground,
    ],
  },
  {
    name: "side tasks",
    places: ["src/main/side-tasks/"],
    // A task is what the service would make of it, so it goes through the same dialect.
    mayImport: [
      "dialects",
      "dialect parts",
      "runtime types",
      "history",
      "observability",
      "host names",
      "machine",
      "near names",
      "outbound routes",
      "readable files",
      ...ground,
    ],
  },
  {
    name: "dialects",
    places: ["src/main/dialects/"],
    mayImport: ["dialect parts", "runtime types", "history", "option defaults", ...ground],
  },
  {
    // What both dialects need, and so neither owns.
    name: "dialect parts",
    places: [
      "src/main/dialects/answers/",
      "src/main/dialects/attachments/",
      "src/main/dialects/requests/",
      "src/main/dialects/structured-output/",
      "src/main/dialects/tools/",
    ],
    mayImport: ["runtime types", "history", ...ground],
  },
  {
    name: "continuation",
    places: ["src/main/continuation/"],
    mayImport: ["runtime types", "history", "observability", "option defaults", ...ground],
  },
  {
    name: "runtime",
    places: ["src/main/runtime/"],
    mayImport: [
      "turns",
      "codex",
      "codex choices",
      "near names",
      "option defaults",
      "runtime types",
      "history",
      ...ground,
    ],
  },
  {
    // Running turns, on what the room below keeps alive.
    name: "turns",
    places: ["src/main/turns/"],
    mayImport: ["codex", "runtime types", "history", ...ground],
  },
  {
    // Keeping Codex alive.
    name: "codex",
    places: ["src/main/codex/"],
    mayImport: ["codex choices", "outbound routes", "runtime types", "worker files", ...ground],
  },
  {
    name: "runtime types",
    places: ["src/main/runtime/types.ts", "src/main/runtime/part-health.ts"],
    mayImport: ["history", ...ground],
  },
  // Items as all layers from the dialects to the workers hand them on.
  { name: "history", places: ["src/main/history/"], mayImport: [...ground] },
  {
    name: "observability",
    places: ["src/main/observability/"],
    mayImport: ["option defaults", ...ground],
  },
  { name: "metrics sink", places: ["src/main/http/metrics-sink.ts"], mayImport: [] },
  {
    name: "config",
    places: ["src/main/config/"],
    mayImport: [
      "codex choices",
      "host names",
      "machine",
      "near names",
      "named tokens",
      "option defaults",
      "readable files",
      "contract",
    ],
  },
  // How variables, paths and private files are read, for the service and for a host's router beside it.
  {
    name: "machine",
    places: ["src/main/config/machine.ts", "src/main/config/environment.ts"],
    mayImport: [],
  },
  // Which way a request takes through proxies, for Codex's requests and for a router's beside it.
  { name: "outbound routes", places: ["src/main/outbound/"], mayImport: ["contract"] },
  // Which known name a mistyped one means: of options, commands and models.
  { name: "near names", places: ["src/main/config/suggest-name.ts"], mayImport: [] },
  // What configuration reads and the parts that run Codex obey.
  { name: "codex choices", places: ["src/main/config/codex-choices.ts"], mayImport: [] },
  // What configuration and a part that is made without one fall back to.
  { name: "option defaults", places: ["src/main/config/defaults.ts"], mayImport: [] },
  // What the listener may bind to and what a request may name is one question, asked in two places.
  { name: "host names", places: ["src/main/config/network-names.ts"], mayImport: [] },
  // What configuration reads and the listener checks.
  { name: "named tokens", places: ["src/main/config/named-token.ts"], mayImport: [] },
  // Files that a task names, for whoever may read them.
  { name: "readable files", places: ["src/main/readable-files/"], mayImport: ["contract"] },
  // Also how a class refuses options of the wrong shape, and what is said of a value that a schema refuses.
  {
    name: "errors",
    places: ["src/main/errors.ts", "src/main/option-shapes.ts", "src/main/schema-words.ts"],
    mayImport: ["contract"],
  },
  // The built page: http serves it, and reads no files itself.
  { name: "page files", places: ["src/main/page-files.ts"], mayImport: [] },
  // What runs in the browser: of the rest it knows only what comes over HTTP.
  { name: "page", places: ["src/page/"], mayImport: [] },
  { name: "worker files", places: ["src/main/worker-files.ts"], mayImport: [] },
  { name: "version", places: ["src/main/version.ts"], mayImport: ["contract"] },
  {
    name: "worker thread",
    places: ["src/workers/"],
    mayImport: ["worker turn", "worker health", "worker app-server", "contract"],
  },
  { name: "worker turn", places: ["src/workers/turn/"], mayImport: ["worker app-server", "contract"] },
  { name: "worker health", places: ["src/workers/health/"], mayImport: ["worker app-server", "contract"] },
  { name: "worker app-server", places: ["src/workers/app-server/"], mayImport: ["contract"] },
  { name: "contract", places: ["src/workers/contract/"], mayImport: [] },
];

/** Packages that belong to one place each; their types may be named anywhere. */
export const packageHomes: readonly { readonly name: string; readonly places: readonly string[] }[] = [
  { name: "piscina", places: ["src/main/codex/workers/"] },
  { name: "fastify", places: ["src/main/http/"] },
  { name: "pino", places: ["src/main/observability/"] },
  { name: "prom-client", places: ["src/main/observability/"] },
  { name: "smol-toml", places: ["src/main/codex/home/"] },
  { name: "ajv", places: ["src/main/side-tasks/"] },
  { name: "preact", places: ["src/page/"] },
  { name: "uplot", places: ["src/page/"] },
  { name: "ws", places: ["src/main/http/web-socket/"] },
  { name: "undici", places: ["src/workers/app-server/", "src/main/side-tasks/", "src/main/cli/"] },
];

export function findLayer(path: string): Layer | null {
  let best: Layer | null = null;
  let bestLength = 0;
  for (const layer of layers) {
    for (const place of layer.places) {
      const isInside = place.endsWith("/") ? path.startsWith(place) : path === place;
      if (isInside && place.length > bestLength) {
        best = layer;
        bestLength = place.length;
      }
    }
  }
  return best;
}

/** Imports that leave a layer for one it may not know, in words. */
export function findForbiddenEdges(sources: readonly SourceFile[]): readonly string[] {
  return sources.flatMap((source) => source.imports.filter(({ isLocal }) => isLocal).flatMap(judgeEdge));
}

function judgeEdge(edge: SourceImport): readonly string[] {
  const from = findLayer(edge.from);
  const to = findLayer(edge.to);
  if (from === null || to === null) return [`${edge.from}:${edge.line} or ${edge.to} belongs to no layer`];
  if (from === to || from.mayImport.includes(to.name)) return [];
  return [`${edge.from}:${edge.line} (${from.name}) imports ${edge.to} (${to.name})`];
}

/** Packages imported outside their homes; naming a type of theirs is no dependency at run time. */
export function findStrayPackages(sources: readonly SourceFile[]): readonly string[] {
  const edges = sources.flatMap(({ imports }) => imports).filter((edge) => !edge.isLocal && !edge.isTypeOnly);
  return edges.flatMap((edge) => {
    const home = packageHomes.find(({ name }) => name === edge.to);
    const isAtHome = home === undefined || home.places.some((place) => edge.from.startsWith(place));
    return isAtHome ? [] : [`${edge.from}:${edge.line} imports ${edge.to}`];
  });
}

/** One chain of files for each cycle, type imports included: a cycle of types is a cycle of ideas. */
export function findCycles(sources: readonly SourceFile[]): readonly string[] {
  const next = new Map(sources.map(({ path, imports }) => [path, imports.filter(({ isLocal }) => isLocal)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) cycles.push([...trail.slice(at), path].join(" -> "));
    if (at >= 0 || done.has(path)) return;
    for (const edge of next.get(path) ?? []) walk(edge.to, [...trail, path]);
    done.add(path);
  };
  for (const { path } of sources) walk(path, []);
  return cycles;
}
