/** Reads the config file, by a schema that is made from the options table. */
import { dirname } from "node:path";
import { z } from "zod";
import { isJsonObject } from "../../workers/contract/json.js";
import { type ConfigFault, faultAt, refuseName } from "./faults.js";
import type { ConfigLayer, LayerRead } from "./layers.js";
import { describeUnread, type FileRead } from "./machine.js";
import type { OptionSpec } from "./option.js";

/**
 * Reads the config file and checks its keys; its values are checked later, with those of the other layers. `namedBy` is the flag or
 * variable that names it, so that it must exist; null for the default file, which may be missing.
 */
export function readConfigFile(
  path: string,
  namedBy: string | null,
  file: FileRead,
  specs: readonly OptionSpec[],
): LayerRead {
  const refuse = (problem: string): LayerRead => ({
    layer: makeLayer(path, {}, specs),
    faults: [faultAt(namedBy ?? "config file", problem, JSON.stringify(path))],
  });
  if (file.kind === "missing" && namedBy === null) return { layer: makeLayer(path, {}, specs), faults: [] };
  if (file.kind !== "text") return refuse(describeUnread(path, file));
  // The file names the binary to run, so that everyone who can write it can run code as this user.
  if (file.isOpen === true) return refuse(`anyone may write ${path}; allow only yourself (chmod 600)`);
  const parsed = parseJson(file.text);
  if ("fault" in parsed) return refuse(`${path} is not JSON: ${parsed.fault}`);
  if (!isJsonObject(parsed.value)) return refuse(`${path} must hold a JSON object`);
  const layer = makeLayer(path, parsed.value, specs);
  // A secret in a file that others may read is no secret.
  const open = specs.filter((spec) => !file.isPrivate && spec.secret && layer.values.has(spec.key));
  const exposed = open.map((spec) => faultAt(layer.nameOption(spec), exposedSecret));
  return { layer, faults: [...refuseKeys(path, parsed.value, specs), ...exposed] };
}

const exposedSecret = "is a secret in a file that others may read; allow only yourself (chmod 600)";

/** Makes a layer of an object in the file's shape. Faults name `path`. */
export function makeLayer(
  path: string,
  root: Readonly<Record<string, unknown>>,
  specs: readonly OptionSpec[],
): ConfigLayer {
  const values = new Map<string, unknown>();
  for (const spec of specs.filter(({ inFile }) => inFile)) {
    const value = valueAt(root, spec.key);
    if (value !== undefined) values.set(spec.key, value);
  }
  return {
    kind: "file",
    values,
    baseDir: dirname(path),
    nameOption: (spec, inner = "") => `${spec.key}${inner} in ${path}`,
  };
}

/** The faults of unknown keys, and of groups that are not objects. */
export function refuseKeys(
  path: string,
  root: unknown,
  specs: readonly OptionSpec[],
): readonly ConfigFault[] {
  const keys = specs.filter(({ inFile }) => inFile).map((spec) => spec.key);
  const issues = buildConfigFileSchema(specs).safeParse(root).error?.issues ?? [];
  return issues.flatMap((issue) => {
    const at = issue.path.map(String);
    // Unknown keys inside a value are reported with the value's other faults.
    if (issue.code === "unrecognized_keys" && at.length < 2) {
      const names = issue.keys.map((key) => [...at, key].join("."));
      return names.map((name) => refuseName(`${name} in ${path}`, "key", name, keys));
    }
    const [group = ""] = at;
    if (at.length !== 1 || keys.includes(group)) return [];
    const names = keys.flatMap((key) => (splitKey(key)[0] === group ? splitKey(key)[1] : []));
    return [faultAt(`${group} in ${path}`, `takes an object with any of ${names.join(", ")}`)];
  });
}

export function parseJson(text: string): { readonly value: unknown } | { readonly fault: string } {
  try {
    return { value: JSON.parse(text.replace(/^\uFEFF/, "")) };
  } catch (error) {
    return { fault: error instanceof Error ? withoutExcerpt(error.message) : "it cannot be parsed" };
  }
}

/** V8 quotes the text around the fault, and that may hold the token. */
function withoutExcerpt(message: string): string {
  return message.replace(/, (\.\.\.)?".*$/s, "");
}

type Shape = Record<string, z.ZodType>;

/** Every key is optional; any other key is a fault. */
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

/** The value of an option in an object of the config file's shape; undefined where there is none. */
export function valueAt(root: unknown, key: string): unknown {
  let value = root;
  for (const name of key.split(".")) value = isJsonObject(value) ? value[name] : undefined;
  return value;
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
