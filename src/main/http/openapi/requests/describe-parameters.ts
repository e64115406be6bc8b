import type { ParameterFate } from "../../../dialects/requests/parameter-fate.js";
import type { Schema } from "../types.js";

export interface ParameterTable {
  readonly parameterFates: Readonly<Record<string, ParameterFate>>;
  /** Why a parameter is refused. */
  readonly refusals: Readonly<Record<string, string>>;
  /** What a parameter does, for those that have a place. */
  readonly notes: Readonly<Record<string, string>>;
}

const ignored =
  "Ignored: Codex has no place for it. Listed in `native_api.ignored_parameters`, or refused where the service is set to.";

/** A body's schema, with what becomes of each parameter. */
export function describeParameters(body: Schema, table: ParameterTable): Schema {
  const own: Schema =
    typeof body.properties === "object" && body.properties !== null ? { ...body.properties } : {};
  const withFate = (fate: ParameterFate) =>
    Object.keys(table.parameterFates).filter((name) => table.parameterFates[name] === fate);
  const describe = (name: string, description: string | undefined) => [
    name,
    { ...asObject(own[name]), ...(description !== undefined && { description }) },
  ];
  return {
    ...body,
    properties: Object.fromEntries([
      ...withFate("mapped").map((name) => describe(name, table.notes[name])),
      ...withFate("ignored").map((name) => describe(name, ignored)),
      // Null counts as not given, so it is all that may be given.
      ...Object.entries(table.refusals).map(([name, reason]) => [
        name,
        { type: "null", description: `Refused: ${reason}.` },
      ]),
    ]),
  };
}

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}
