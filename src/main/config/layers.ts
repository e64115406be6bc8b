/** Flags, environment and config file as one thing: the values each gives, and which of them wins. */
import { isAbsolute, join, resolve } from "node:path";
import { type ConfigFault, refuseValue } from "./faults.js";
import type { OptionSpec } from "./option-spec.js";

/** `host`: given by the program that embeds the service. */
export type LayerKind = "host" | "flag" | "environment" | "file";

/** Where a value came from. */
export interface OptionOrigin {
  readonly layer: LayerKind | "default";
  /** `--port`, `CODEX_NATIVE_API_PORT`, `listen.port in …/config.json`, or the words of the default. */
  readonly name: string;
}

export interface ConfigLayer {
  readonly kind: LayerKind;
  /** What was given, by option key; not checked yet. */
  readonly values: ReadonlyMap<string, unknown>;
  /** What relative paths start from. */
  readonly baseDir: string;
  /** `inner` is a place inside the value, such as `[0].name`. */
  readonly nameOption: (spec: OptionSpec, inner?: string) => string;
}

/** A value with what it takes to read on from it. */
export interface LocatedValue<T> {
  readonly value: T;
  readonly origin: OptionOrigin;
  /** What relative paths in it start from. */
  readonly baseDir: string;
  readonly nameInner: (inner: string) => string;
}

type TextByKey = Readonly<Record<string, string>>;

/** Reads options out of the layers, highest first, and remembers what each came from. */
export class LayeredSettings {
  readonly #layers: readonly ConfigLayer[];
  readonly #homeDir: string;
  readonly #faultyKeys = new Set<string>();
  readonly #origins = new Map<string, OptionOrigin>();

  constructor(layers: readonly ConfigLayer[], homeDir: string) {
    this.#layers = layers;
    this.#homeDir = homeDir;
  }

  get origins(): ReadonlyMap<string, OptionOrigin> {
    return this.#origins;
  }

  /** Checks every value of every layer: one that is overridden today is still a fault waiting to happen. */
  check(specs: readonly OptionSpec[]): readonly ConfigFault[] {
    const faults: ConfigFault[] = [];
    for (const layer of this.#layers) {
      for (const spec of specs) {
        const value = layer.values.get(spec.key);
        if (value === undefined || spec.type.schema.safeParse(value).success) continue;
        this.#faultyKeys.add(spec.key);
        const inner = spec.type.explain?.(value) ?? [];
        if (inner.length === 0) faults.push(refuseValue(spec, layer.nameOption(spec), value));
        for (const { path, problem } of inner)
          faults.push({ source: layer.nameOption(spec, path), given: null, problem });
      }
    }
    return faults;
  }

  /** Whether `check` found a fault in one of these, so that rules across options would only repeat it. */
  isFaulty(...specs: readonly OptionSpec[]): boolean {
    return specs.some((spec) => this.#faultyKeys.has(spec.key));
  }

  /** The value of the highest layer that gives one, else the default. */
  read<T, D>(spec: OptionSpec<T, D>): T | D {
    const [given] = this.#readAll(spec);
    this.#origins.set(spec.key, given?.origin ?? { layer: "default", name: spec.defaultText });
    return given === undefined ? spec.default : given.value;
  }

  /** As `read`, as an absolute path; null when no layer gives one. */
  readPath(spec: OptionSpec<string, null>): string | null {
    const value = this.read(spec);
    if (value === null) return null;
    const [given] = this.#readAll(spec);
    return this.resolvePath(value, given?.baseDir ?? "");
  }

  /** As `read`, with where it stands; null when no layer gives one. */
  locate<T>(spec: OptionSpec<T>): LocatedValue<T> | null {
    this.read(spec);
    return this.#readAll(spec)[0] ?? null;
  }

  /** Key by key: a flag adds to the file's object instead of replacing it. */
  readMerged(spec: OptionSpec<TextByKey, TextByKey>): TextByKey {
    this.read(spec);
    const highestFirst = this.#readAll(spec).map(({ value }) => Object.entries(value));
    return Object.fromEntries([Object.entries(spec.default), ...highestFirst.reverse()].flat());
  }

  originOf(spec: OptionSpec): OptionOrigin {
    return this.#origins.get(spec.key) ?? { layer: "default", name: spec.defaultText };
  }

  /** For a value that is read from elsewhere than the layers, such as a file one of them names. */
  recordOrigin(spec: OptionSpec, origin: OptionOrigin): void {
    this.#origins.set(spec.key, origin);
  }

  /** `~/` is the home directory, anything relative starts from `baseDir`. */
  resolvePath(value: string, baseDir: string): string {
    if (value === "~" || value.startsWith("~/")) return join(this.#homeDir, value.slice(1));
    return isAbsolute(value) ? resolve(value) : resolve(baseDir, value);
  }

  #readAll<T>(spec: OptionSpec<T>): readonly LocatedValue<T>[] {
    return this.#layers.flatMap((layer) => {
      const parsed = spec.type.schema.safeParse(layer.values.get(spec.key));
      if (!layer.values.has(spec.key) || !parsed.success) return [];
      return [
        {
          value: parsed.data,
          origin: { layer: layer.kind, name: layer.nameOption(spec) },
          baseDir: layer.baseDir,
          nameInner: (inner) => layer.nameOption(spec, inner),
        },
      ];
    });
  }
}
