/** The config file as one zod schema, made from the options table. */
import { z } from "zod";
import type { OptionSpec } from "./option-spec.js";

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
  const unit = spec.unit === null ? "" : ` In ${spec.unit}.`;
  const description = `${spec.description}${unit} Default: ${spec.defaultText}.`;
  return spec.default === null ? { description } : { description, default: spec.default };
}
