/** What of a schema of ours the app-server's no longer bears out, each fault named by its path. */
import type { JsonObject } from "../../../../../src/workers/contract/json.js";
import { propertiesOf, requiredOf, type SchemaKind, type SchemaReader } from "./json-schema.js";

/** A schema with the reader of the document it stands in. */
export interface Side {
  readonly schema: unknown;
  readonly reader: SchemaReader;
}

/** One way a value may look, with the reader that its own parts need. */
interface Known {
  readonly kind: SchemaKind;
  readonly schema: JsonObject;
  readonly values: readonly unknown[] | null;
  readonly reader: SchemaReader;
}

/** For what they send: whatever their schema allows, ours must be able to read, and every key we read must exist. */
export function findReadDrift(ours: Side, theirs: Side, path: string): string[] {
  const ourVariants = knownVariants(ours);
  const theirVariants = knownVariants(theirs);
  if (ourVariants === null) return [];
  if (theirVariants === null) return [`${path}: may be anything now`];
  const unread = theirVariants.filter((theirs) => !ourVariants.some((ours) => fits(theirs.kind, ours.kind)));
  const drift = unread.map(({ kind }) => `${path}: may be ${kind}, which we do not read`);
  drift.push(...findMissingValues(ourVariants, theirVariants, path));
  for (const variant of ourVariants) {
    const same = theirVariants.filter(({ kind }) => kind === variant.kind);
    if (variant.kind === "object" && same.length > 0) drift.push(...findObjectReadDrift(variant, same, path));
    if (variant.kind === "array") {
      drift.push(...same.flatMap((array) => findReadDrift(itemsOf(variant), itemsOf(array), `${path}[]`)));
    }
  }
  return [...new Set(drift)];
}

/** For what we send: each form of ours must fit one of theirs. */
export function findWriteDrift(ours: Side, theirs: Side, path: string): string[] {
  const ourVariants = knownVariants(ours);
  const theirVariants = knownVariants(theirs);
  if (ourVariants === null || theirVariants === null) return [];
  return ourVariants.flatMap((variant) => {
    const targets = theirVariants.filter((theirs) => fits(variant.kind, theirs.kind));
    if (targets.length === 0) return [`${path}: ${describe(variant)} is no longer taken`];
    // Words may be spread over several of their variants.
    if (variant.kind === "string") return findRefusedValues(variant, targets, path);
    const attempts = targets.map((target) => findVariantWriteDrift(variant, target, path));
    return attempts.reduce((best, attempt) => (attempt.length < best.length ? attempt : best));
  });
}

function findObjectReadDrift(ours: Known, theirs: readonly Known[], path: string): string[] {
  return Object.entries(propertiesOf(ours.schema)).flatMap(([name, schema]) => {
    const at = `${path}.${name}`;
    const having = theirs.filter((variant) => name in propertiesOf(variant.schema));
    const [first] = having;
    if (first === undefined) return [`${at}: is gone`];
    const always = theirs.every((variant) => requiredOf(variant.schema).includes(name));
    const drift = requiredOf(ours.schema).includes(name) && !always ? [`${at}: may be absent`] : [];
    const union = { anyOf: having.map((variant) => propertiesOf(variant.schema)[name]) };
    const sent = { schema: union, reader: first.reader };
    return [...drift, ...findReadDrift({ schema, reader: ours.reader }, sent, at)];
  });
}

function findVariantWriteDrift(ours: Known, theirs: Known, path: string): string[] {
  if (ours.kind === "array") return findWriteDrift(itemsOf(ours), itemsOf(theirs), `${path}[]`);
  if (ours.kind !== "object") return findRefusedValues(ours, [theirs], path);
  const sent = propertiesOf(ours.schema);
  const taken = propertiesOf(theirs.schema);
  const missing = requiredOf(theirs.schema).filter((name) => !requiredOf(ours.schema).includes(name));
  // A record of free keys, such as an item or a schema, is not ours to vouch for.
  const drift = isRecord(ours) ? [] : missing.map((name) => `${path}.${name}: is required`);
  for (const [name, schema] of Object.entries(sent)) {
    const at = `${path}.${name}`;
    if (name in taken) {
      const target = { schema: taken[name], reader: theirs.reader };
      drift.push(...findWriteDrift({ schema, reader: ours.reader }, target, at));
    } else drift.push(`${at}: is no longer taken`);
  }
  return drift;
}

/** Words that we branch on must still be among theirs. */
function findMissingValues(ours: readonly Known[], theirs: readonly Known[], path: string): string[] {
  const wanted = ours.flatMap(({ values }) => values ?? []);
  const words = theirs.filter(({ kind }) => kind === "string");
  if (words.some(({ values }) => values === null)) return [];
  const known = words.flatMap(({ values }) => values ?? []);
  return wanted.filter((value) => !known.includes(value)).map((value) => `${path}: ${String(value)} is gone`);
}

function findRefusedValues(ours: Known, theirs: readonly Known[], path: string): string[] {
  if (theirs.some(({ values }) => values === null)) return [];
  const taken = theirs.flatMap(({ values }) => values ?? []);
  const refused = ours.values?.filter((value) => !taken.includes(value)) ?? ["any value"];
  return refused.map((value) => `${path}: ${String(value)} is no longer taken`);
}

function knownVariants({ schema, reader }: Side): readonly Known[] | null {
  const variants: Known[] = [];
  for (const variant of reader.variants(schema)) {
    if (variant.kind === "anything") return null;
    variants.push({ ...variant, reader });
  }
  return variants;
}

function itemsOf({ schema, reader }: Known): Side {
  return { schema: schema.items, reader };
}

/** Free keys; an object without any keys at all is none, since zod prints `additionalProperties` for records only. */
function isRecord({ schema }: Known): boolean {
  return schema.additionalProperties !== undefined && Object.keys(propertiesOf(schema)).length === 0;
}

function fits(given: SchemaKind, wanted: SchemaKind): boolean {
  return given === wanted || (given === "integer" && wanted === "number");
}

function describe({ kind, values }: Known): string {
  return values === null ? kind : values.map(String).join(" or ");
}
