/** Flags, environment and config file as one: the values that each gives, and which of them wins. */
import { type ConfigFault, faultAt, refuseValue } from "./faults.js";
import { type Environment, type Machine, resolvePath } from "./machine.js";
import type { OptionSpec, Values } from "./option.js";

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
  /** The values given, by option key; not checked yet. */
  readonly values: ReadonlyMap<string, unknown>;
  /** Relative paths start here. */
  readonly baseDir: string;
  /** `inner` is a place inside the value, such as `[0].name`. */
  readonly nameOption: (spec: OptionSpec, inner?: string) => string;
}

/** The values of a layer, and the faults of its names. */
export interface LayerRead {
  readonly layer: ConfigLayer;
  readonly faults: readonly ConfigFault[];
  /** What was given and has no effect. Default: nothing. */
  readonly warnings?: readonly ConfigFault[];
}

/** A value with the layer that gives it. */
interface LocatedValue<T> {
  readonly value: T;
  readonly layer: ConfigLayer;
}

/** Reads options out of the layers, highest first. Records where each value came from, and every fault. */
export class LayeredSettings {
  readonly machine: Machine;
  readonly faults: ConfigFault[] = [];
  /** Where the value of each option came from that was read, by option key. */
  readonly origins = new Map<string, OptionOrigin>();
  readonly #layers: readonly ConfigLayer[];
  readonly #env: Environment;
  readonly #faultyKeys = new Set<string>();

  constructor(layers: readonly ConfigLayer[], machine: Machine, env: Environment) {
    this.#layers = layers;
    this.machine = machine;
    this.#env = env;
  }

  /** Records a fault; `given` is the value as it may be shown. */
  refuse(source: string, problem: string, given: string | null = null): void {
    this.faults.push(faultAt(source, problem, given));
  }

  /** Checks every value of every layer: one that is overridden today may be in force tomorrow. */
  check(specs: readonly OptionSpec[]): void {
    for (const layer of this.#layers) {
      for (const spec of specs) {
        const value = layer.values.get(spec.key);
        if (value === undefined || spec.type.schema.safeParse(value).success) continue;
        this.#faultyKeys.add(spec.key);
        const inner = spec.type.explain?.(value) ?? [];
        if (inner.length === 0) this.faults.push(refuseValue(spec, layer.nameOption(spec), value));
        for (const { path, problem } of inner) this.refuse(layer.nameOption(spec, path), problem);
      }
    }
  }

  /** Whether `check` found a fault in one of these, so that a rule across options would only repeat it. */
  isFaulty(...specs: readonly OptionSpec[]): boolean {
    return specs.some((spec) => this.#faultyKeys.has(spec.key));
  }

  /** The value of the highest layer that gives one, merged with lower ones where the type merges; else the default. */
  read<T, V>(spec: OptionSpec<T, V>): T | V {
    const given = this.#readAll(spec);
    const [highest] = given;
    if (highest === undefined) {
      this.origins.set(spec.key, { layer: "default", name: spec.defaultText });
      return spec.whenUnset(this.machine, this.#env);
    }
    const { kind, nameOption } = highest.layer;
    this.origins.set(spec.key, { layer: kind, name: nameOption(spec) });
    return spec.type.merge?.(given.map(({ value }) => value)) ?? highest.value;
  }

  /** Reads every option of a group. */
  readGroup<G extends Readonly<Record<string, OptionSpec>>>(group: G): Values<G> {
    const values = Object.entries(group).map(([name, spec]) => [name, this.read(spec)]);
    // Each name has its own option's value; the library's type of `fromEntries` forgets which.
    return Object.fromEntries(values) as Values<G>;
  }

  /** Reads an option together with the layer that gives it; null when no layer does. */
  locate<T>(spec: OptionSpec<T>): LocatedValue<T> | null {
    this.read(spec);
    return this.#readAll(spec)[0] ?? null;
  }

  originOf(spec: OptionSpec): OptionOrigin {
    return this.origins.get(spec.key) ?? { layer: "default", name: spec.defaultText };
  }

  #readAll<T>({ key, type }: OptionSpec<T>): readonly LocatedValue<T>[] {
    return this.#layers.flatMap((layer) => {
      const given = type.schema.safeParse(layer.values.get(key));
      if (!layer.values.has(key) || !given.success) return [];
      const value = type.toValue(given.data, (path) => resolvePath(path, layer.baseDir, this.machine));
      return value === null ? [] : [{ value, layer }];
    });
  }
}
