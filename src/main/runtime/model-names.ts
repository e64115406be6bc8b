/** Names of models as callers send them, and the one place that says what each stands for. */
import type { ThreadSettings } from "../../workers/contract/turn.js";
import type { CodexHomeMode, ModelAliases } from "../config/codex-choices.js";
import { nearestNames } from "../config/suggest-name.js";
import { CodexNativeApiError } from "../errors.js";
import type { CatalogHealth, ModelAliasHealth, NamedModel, NativeModel } from "./types.js";

/** What names are resolved with. */
export interface NamingFacts {
  readonly aliases: ModelAliases;
  /** Of a request that names none, as configured; null: the catalog's default. */
  readonly defaultName: string | null;
  /** Codex's; null: not known yet. */
  readonly catalog: readonly NativeModel[] | null;
  /** A provider of the user's own serves models that no catalog lists, so that no id can be checked. */
  readonly isOpen: boolean;
}

interface EffortFacts {
  readonly facts: { readonly models: readonly NativeModel[] | null };
  readonly installation: { readonly home: { readonly mode: CodexHomeMode } | null };
}

/**
 * What people put before a model's id: the vendor's name of OpenRouter and LiteLLM, and the names that clients have for Codex as a
 * provider. Any other prefix names another provider, whose models are not these.
 */
const prefixes = ["openai/", "openai-codex/", "codex/", "chatgpt/"];

/** What may be an effort behind a name, where no catalog says which ones a model takes. */
const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/** One way to read a name. */
interface Reading {
  readonly name: string;
  readonly effort: string | null;
}

/**
 * The model, effort and tier that a name stands for: an alias, else the id of a model, else either of them with a provider before it
 * or an effort behind it (`gpt-5.5(high)`, `gpt-5.5-high`). An alias goes first, so that it can stand before a model of its name; what it
 * stands for is an id and never another alias. Null where only the catalog can tell, which is not known yet.
 *
 * @throws CodexNativeApiError `model_not_found`.
 */
export function resolveModelName(given: string, facts: NamingFacts): NamedModel | null {
  const { aliases, isOpen } = facts;
  const listed = checkedCatalog(facts);
  if (listed === null && !isOpen && !Object.hasOwn(aliases, given) && mayBeForm(given)) return null;
  for (const { name, effort } of listed === null ? readOpenly(given) : readForms(given)) {
    const alias = Object.hasOwn(aliases, name) ? aliases[name] : undefined;
    const model = listed?.find(({ id }) => id === (alias?.model ?? name));
    if (listed !== null && alias === undefined && model === undefined) continue;
    if (listed !== null && alias !== undefined && model === undefined)
      throw aliasOfNothing(name, alias.model);
    if (effort !== null && model?.supportedReasoningEfforts.includes(effort) === false) continue;
    return {
      model: alias?.model ?? name,
      alias: alias === undefined ? null : name,
      effort: effort ?? alias?.effort ?? null,
      serviceTier: alias?.tier ?? null,
    };
  }
  throw modelNotFound(given, facts);
}

/** @throws CodexNativeApiError `model_not_found` for an id that Codex would not know, and `native_runtime_unavailable` while it names no model. */
export function chooseModel(id: string | undefined, facts: NamingFacts): string {
  const wanted = id ?? defaultModelOf(facts);
  if (wanted === null) {
    const message = "Codex named no model yet.";
    throw new CodexNativeApiError("native_runtime_unavailable", message, { retryAfterMs: 1000 });
  }
  if (checkedCatalog(facts)?.some((model) => model.id === wanted) !== false) return wanted;
  throw modelNotFound(wanted, facts);
}

/** Null until the catalog was read. A configured name that stands for no model is given as it is. */
export function defaultModelOf(facts: NamingFacts): string | null {
  const { defaultName, catalog } = facts;
  if (defaultName !== null) return resolveDefault(facts)?.model ?? defaultName;
  return (catalog?.find(({ isDefault }) => isDefault) ?? catalog?.[0])?.id ?? null;
}

/** Null where none is configured, or what is stands for nothing. */
export function resolveDefault(facts: NamingFacts): NamedModel | null {
  try {
    return facts.defaultName === null ? null : resolveModelName(facts.defaultName, facts);
  } catch {
    // The turn that names no model reports it, with the names there are.
    return null;
  }
}

/** What Codex asks a model for where a turn names no effort; null where it may ask for none, or for what is not known here. */
export function standardEffort(
  { model, form }: Pick<ThreadSettings, "model" | "form">,
  { facts, installation }: EffortFacts,
): string | null {
  // The lean forms leave it to the model, and in a home of the user's the configuration may name another.
  if (form !== "codex" || installation.home?.mode !== "isolated") return null;
  return facts.models?.find(({ id }) => id === model)?.defaultReasoningEffort ?? null;
}

/** Null before the catalog was read. */
export function describeCatalog(facts: NamingFacts): CatalogHealth | null {
  if (facts.catalog === null) return null;
  const models = facts.catalog.filter(({ hidden }) => !hidden).length;
  return { models, defaultModel: defaultModelOf(facts), isChecked: !facts.isOpen };
}

/** The aliases in force, and what is wrong with each. */
export function judgeAliases(facts: NamingFacts): readonly ModelAliasHealth[] {
  const listed = checkedCatalog(facts);
  return Object.entries(facts.aliases).map(([name, { model: id, effort = null, tier = null }]) => {
    const model = listed?.find((candidate) => candidate.id === id);
    const lacksEffort = effort !== null && model?.supportedReasoningEfforts.includes(effort) === false;
    const lacksModel = listed !== null && model === undefined;
    const problem = lacksModel
      ? `Codex's catalog has no model '${id}'.`
      : lacksEffort
        ? `'${id}' takes no effort '${effort}'.`
        : null;
    return { name, model: id, effort, serviceTier: tier, problem };
  });
}

/** Null where no id can be checked, or not yet. */
function checkedCatalog({ catalog, isOpen }: NamingFacts): readonly NativeModel[] | null {
  return isOpen ? null : catalog;
}

function* readForms(given: string): Generator<Reading> {
  yield* readEfforts(given);
  const prefix = prefixes.find((text) => given.startsWith(text));
  if (prefix !== undefined) yield* readEfforts(given.slice(prefix.length));
}

function* readEfforts(name: string): Generator<Reading> {
  yield { name, effort: null };
  yield* readParentheses(name);
  const at = name.lastIndexOf("-");
  if (at > 0) yield { name: name.slice(0, at), effort: name.slice(at + 1) };
}

/** The names of another provider's models may begin with a vendor, or end in an effort. */
function* readOpenly(given: string): Generator<Reading> {
  for (const reading of readParentheses(given)) {
    if (reading.effort !== null && efforts.includes(reading.effort)) yield reading;
  }
  yield { name: given, effort: null };
}

function* readParentheses(name: string): Generator<Reading> {
  const at = name.endsWith(")") ? name.lastIndexOf("(") : -1;
  if (at > 0) yield { name: name.slice(0, at).trimEnd(), effort: name.slice(at + 1, -1).toLowerCase() };
}

/** Whether only the catalog can tell a form of a name from an id. */
function mayBeForm(name: string): boolean {
  return /[()/]/.test(name) || efforts.some((effort) => name.endsWith(`-${effort}`));
}

/** Names are quoted up to this length. */
const shownChars = 64;
const mostSuggestions = 3;

/** Names the nearest models, or the efforts of the model that was meant. */
function modelNotFound(given: string, { aliases, catalog }: NamingFacts): CodexNativeApiError {
  const models = catalog ?? [];
  const shown = `'${given.slice(0, shownChars)}'`;
  for (const { name, effort } of readForms(given)) {
    const model = models.find(
      ({ id }) => id === (Object.hasOwn(aliases, name) ? aliases[name]?.model : name),
    );
    if (effort === null || model === undefined || !given.trimEnd().endsWith(")")) continue;
    const taken = model.supportedReasoningEfforts.join(", ") || "none";
    return notFound(`${shown} asks '${model.id}' for an effort that it does not take. It takes: ${taken}.`);
  }
  const names = [...Object.keys(aliases), ...models.filter(({ hidden }) => !hidden).map(({ id }) => id)];
  const spellings = [...readForms(given)]
    .filter(({ effort }) => effort === null || efforts.includes(effort))
    .map(({ name }) => name);
  const near = nearestNames(spellings, [...new Set(names)], mostSuggestions);
  const quoted = near.map((name) => `'${name}'`);
  const hint = quoted.length === 0 ? "" : ` Did you mean ${quoted.join(" or ")}?`;
  return notFound(`The model ${shown} is not in Codex's catalog.${hint} GET /v1/models lists what is.`);
}

function aliasOfNothing(name: string, model: string): CodexNativeApiError {
  return notFound(`'${name}' is an alias of '${model}', which is not in Codex's catalog.`);
}

function notFound(message: string): CodexNativeApiError {
  return new CodexNativeApiError("model_not_found", message, { param: "model" });
}
