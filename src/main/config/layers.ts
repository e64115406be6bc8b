/** Flags, environment and config file as one thing: the values each gives, and which of them wins. */
import { type ConfigFault, refuseValue } from "./faults.js";
import { type Environment, type Machine, resolvePath } from "./machine.js";
import type { OptionSpec } from "./option.js";
import type { Values } from "./types.js";

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

/** A value with the layer that gives it. */
interface LocatedValue<T> {
  readonly value: T;
  readonly layer: ConfigLayer;
}

/** Reads options out of the layers, highest first, and remembers what each came from. */
export class LayeredSettings {
  readonly #layers: readonly ConfigLayer[];
  readonly #machine: Machine;
  readonly #env: Environment;
  readonly #faultyKeys = new Set<string>();
  readonly #origins = new Map<string, OptionOrigin>();

  constructor(layers: readonly ConfigLayer[], machine: Machine, env: Environment) {
    this.#layers = layers;
    this.#machine = machine;
    this.#env = env;
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

  /** The value of the highest layer that gives one, joined with those below it where the type says so, else the default. */
  read<T, V>(spec: OptionSpec<T, V>): T | V {
    const given = this.#readAll(spec);
    const [highest] = given;
    if (highest === undefined) {
      this.#origins.set(spec.key, { layer: "default", name: spec.defaultText });
      return spec.whenUnset(this.#machine, this.#env);
    }
    const { kind, nameOption } = highest.layer;
    this.#origins.set(spec.key, { layer: kind, name: nameOption(spec) });
    return spec.type.merge?.(given.map(({ value }) => value)) ?? highest.value;
  }

  /** As `read`, of every option of a group. */
  readGroup<G extends Readonly<Record<string, OptionSpec>>>(group: G): Values<G> {
    const values = Object.entries(group).map(([name, spec]) => [name, this.read(spec)]);
    // Each name has its own option's value; the library's type of `fromEntries` forgets which.
    return Object.fromEntries(values) as Values<G>;
  }

  /** As `read`, with where it stands; null when no layer gives one. */
  locate<T>(spec: OptionSpec<T>): LocatedValue<T> | null {
    this.read(spec);
    return this.#readAll(spec)[0] ?? null;
  }

  originOf(spec: OptionSpec): OptionOrigin {
    return this.#origins.get(spec.key) ?? { layer: "default", name: spec.defaultText };
  }

  /** For a value that is read from elsewhere than the layers, such as a file one of them names. */
  recordOrigin(spec: OptionSpec, origin: OptionOrigin): void {
    this.#origins.set(spec.key, origin);
  }

  #readAll<T>({ key, type }: OptionSpec<T>): readonly LocatedValue<T>[] {
    return this.#layers.flatMap((layer) => {
      const given = type.schema.safeParse(layer.values.get(key));
      if (!layer.values.has(key) || !given.success) return [];
      const value = type.toValue(given.data, (path) => resolvePath(path, layer.baseDir, this.#machine));
      return value === null ? [] : [{ value, layer }];
    });
  }
}
