/** Which model answers decisions, and with which effort. Callers wait for a label, so both are chosen for speed. */
import { officialDecisionModel } from "../config/defaults.js";
import { defaultModelOf, type NamingFacts, resolveModelName } from "./model-names.js";
import type { CodexNativeRuntimeOptions } from "./runtime-options.js";
import type { NamedModel, NativeModel } from "./types.js";

type DecisionSettings = NonNullable<CodexNativeRuntimeOptions["decisions"]>;

/** OpenAI's families of small models, the fastest of each generation. No field of the catalog says how fast a model is. */
const fastFamily = /(?:^|-)(?:luna|mini|nano|spark)(?:-|$)/;

/**
 * What a name stands for in a decision. `gpt-6-luna` is the one name that OpenAI's types allow: where neither the catalog nor an alias has
 * it, it is an alias of the configured model, else of the catalog's fastest. Null where only the catalog can tell, which is not known yet.
 *
 * @throws CodexNativeApiError `model_not_found`, also for a configured model that stands for nothing.
 */
export function resolveDecisionModel(
  given: string,
  facts: NamingFacts,
  settings: DecisionSettings,
): NamedModel | null {
  const { aliases, catalog, isOpen } = facts;
  if (catalog === null && !isOpen) return null;
  const named = resolveModelName(given, needsStandIn(facts) ? withStandIn(facts, settings) : facts);
  if (named === null || named.effort !== null) return named;
  const model = isOpen ? undefined : catalog?.find(({ id }) => id === named.model);
  const effort = model?.supportedReasoningEfforts.includes(settings.effort) === true ? settings.effort : null;
  const isOwnAlias = named.alias !== null && Object.hasOwn(aliases, named.alias);
  // An alias of the user's without an effort asks for the model's own.
  return isOwnAlias ? named : { ...named, effort };
}

function needsStandIn({ aliases, catalog, isOpen }: NamingFacts): boolean {
  if (Object.hasOwn(aliases, officialDecisionModel)) return false;
  return isOpen || catalog?.some(({ id }) => id === officialDecisionModel) !== true;
}

function withStandIn(facts: NamingFacts, { model }: DecisionSettings): NamingFacts {
  const standIn = model === null ? fastest(facts) : resolveModelName(model, facts);
  if (standIn === null) return facts;
  const { model: id, effort, serviceTier } = standIn;
  const alias = { model: id, effort: effort ?? undefined, tier: serviceTier ?? undefined };
  return { ...facts, aliases: { ...facts.aliases, [officialDecisionModel]: alias } };
}

function fastest(facts: NamingFacts): NamedModel | null {
  const model = facts.isOpen ? null : findFastest(facts.catalog ?? []);
  const id = model?.id ?? defaultModelOf(facts);
  return id === null ? null : { model: id, alias: null, effort: null, serviceTier: null };
}

/** The catalog has the newest models first. */
function findFastest(catalog: readonly NativeModel[]): NativeModel | undefined {
  return catalog.find(({ id, hidden }) => !hidden && fastFamily.test(id));
}
