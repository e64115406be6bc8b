/** The config file: its schema, made from the options table, and how it is read. */
import { dirname } from "node:path";
import { z } from "zod";
import { isJsonObject } from "../../workers/contract/json.js";
import { type ConfigFault, refuseName } from "./faults.js";
import type { ConfigLayer } from "./layers.js";
import type { FileRead } from "./machine.js";
import type { OptionSpec } from "./option.js";

export interface ConfigFileRead {
  readonly layer: ConfigLayer | null;
  readonly faults: readonly ConfigFault[];
}

interface ConfigFileSource {
  readonly path: string;
  /** True when a flag or variable named it, so that it has to be there. */
  readonly isRequired: boolean;
  /** The flag or variable that named it. */
  readonly namedBy: string;
}

/** Reads the config file. Its values are checked later, with those of the other layers; its keys are checked here. */
export function readConfigFile(
  source: ConfigFileSource,
  file: FileRead,
  specs: readonly OptionSpec[],
): ConfigFileRead {
  const refuse = (problem: string): ConfigFileRead => ({
    layer: null,
    faults: [{ source: source.namedBy, given: JSON.stringify(source.path), problem }],
  });
  if (file.kind === "missing") {
    return source.isRequired ? refuse(`there is no file ${source.path}`) : { layer: null, faults: [] };
  }
  if (file.kind === "unreadable") return refuse(`${source.path} cannot be read (${file.reason})`);
  // It names the binary that is run: who may write it may run code as us.
  if (file.isOpen === true) return refuse(`anyone may write ${source.path}; allow only yourself (chmod 600)`);
  const parsed = parseJson(file.text);
  if ("fault" in parsed) return refuse(`${source.path} is not JSON: ${parsed.fault}`);
  if (!isJsonObject(parsed.value)) return refuse(`${source.path} holds no JSON object`);
  const layer = makeLayer(source.path, parsed.value, specs);
  const faults = [...refuseKeys(source.path, parsed.value, specs), ...refuseOpenSecret(layer, file, specs)];
  return { layer, faults };
}

/** From an object in the file's shape. `path` says where it stands, for faults. */
export function makeLayer(
  path: string,
  root: Readonly<Record<string, unknown>>,
  specs: readonly OptionSpec[],
): ConfigLayer {
  const values = new Map<string, unknown>();
  for (const spec of specs.filter(({ inFile }) => inFile)) {
    const [group, leaf] = splitKey(spec.key);
    const holder = group === null ? root : root[group];
    if (isJsonObject(holder) && holder[leaf] !== undefined) values.set(spec.key, holder[leaf]);
  }
  return {
    kind: "file",
    values,
    baseDir: dirname(path),
    nameOption: (spec, inner = "") => `${spec.key}${inner} in ${path}`,
  };
}

/** Keys that are not ours and groups that are no objects. */
export function refuseKeys(
  path: string,
  root: unknown,
  specs: readonly OptionSpec[],
): readonly ConfigFault[] {
  const keys = specs.filter(({ inFile }) => inFile).map((spec) => spec.key);
  const issues = buildConfigFileSchema(specs).safeParse(root).error?.issues ?? [];
  return issues.flatMap((issue) => {
    const at = issue.path.map(String);
    // Inside a value they are the value's own, and told with its other faults.
    if (issue.code === "unrecognized_keys" && at.length < 2) {
      const names = issue.keys.map((key) => [...at, key].join("."));
      return names.map((name) => refuseName(`${name} in ${path}`, "key", name, keys));
    }
    return isGroup(issue, keys) ? [refuseGroup(path, at.join("."), keys)] : [];
  });
}

function isGroup(issue: z.core.$ZodIssue, keys: readonly string[]): boolean {
  return issue.path.length === 1 && !keys.includes(String(issue.path[0]));
}

function refuseGroup(path: string, group: string, keys: readonly string[]): ConfigFault {
  const inside = keys.filter((key) => key.startsWith(`${group}.`)).map((key) => key.slice(group.length + 1));
  return {
    source: `${group} in ${path}`,
    given: null,
    problem: `takes an object with any of ${inside.join(", ")}`,
  };
}

/** A secret in a file that others may read is no secret. */
function refuseOpenSecret(
  layer: ConfigLayer,
  file: FileRead,
  specs: readonly OptionSpec[],
): readonly ConfigFault[] {
  if (file.kind !== "text" || file.isPrivate) return [];
  const open = specs.filter((spec) => spec.secret && layer.values.has(spec.key));
  return open.map((spec) => ({
    source: layer.nameOption(spec),
    given: null,
    problem: "is a secret in a file that others may read; allow only yourself (chmod 600)",
  }));
}

export function parseJson(text: string): { readonly value: unknown } | { readonly fault: string } {
  try {
    return { value: JSON.parse(text.replace(/^\uFEFF/, "")) };
  } catch (error) {
    return { fault: error instanceof Error ? withoutExcerpt(error.message) : "it cannot be parsed" };
  }
}

/** V8 quotes the text around the fault, which may hold the token. */
function withoutExcerpt(message: string): string {
  return message.replace(/, (\.\.\.)?".*$/s, "");
}

type Shape = Record<string, z.ZodType>;

/** Every key is optional and no other key is taken. */
export function buildConfigFileSchema(specs: readonly OptionSpec[]): z.ZodType {
  const root: Shape = { $schema: z.string().optional().meta({ description: "For editors; not read." }) };
  const groups = new Map<string, Shape>();
  for (const spec of specs.filter(({ inFile }) => inFile)) {
    const [group, leaf] = splitKey(spec.key);
    const shape = group === null ? root : (groups.get(group) ?? {});
    shape[leaf] = spec.type.schema.optional().meta(describeOption(spec));
    if (group !== null) groups.set(group, shape);
  }
  for (const [group, shape] of groups) root[group] = z.strictObject(shape).optional();
  return z.strictObject(root);
}

/** `listen.port` is `port` in the group `listen`; there is one level of groups. */
export function splitKey(key: string): readonly [string | null, string] {
  const at = key.indexOf(".");
  return at < 0 ? [null, key] : [key.slice(0, at), key.slice(at + 1)];
}

function describeOption(spec: OptionSpec): { description: string; default?: unknown } {
  const unit = spec.type.unit === null ? "" : ` In ${spec.type.unit}.`;
  const description = `${spec.description}${unit} Default: ${spec.defaultText}.`;
  return spec.default === null ? { description } : { description, default: spec.default };
}
