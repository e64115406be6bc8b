/** Aliases of models as people write them: an object in the config file, and text in the form of a URL's query elsewhere. */
import { z } from "zod";
import type { ModelAlias, ModelAliases } from "./codex-choices.js";
import { type InnerFault, type OptionType, singleValue } from "./option.js";

/** Bound on the aliases of a configuration: `GET /v1/models` lists all of them. */
const maxAliases = 200;

const word = z.string().regex(/^[^\s?&=,]{1,200}$/);

const aliasSchema = z.strictObject({
  model: word.meta({ description: "The model that it stands for, by its id." }),
  effort: word
    .optional()
    .meta({ description: "Reasoning effort of requests that name none. Default: the model's." }),
  tier: word
    .optional()
    .meta({ description: "Service tier of requests that name none. Default: the ordinary one." }),
});

const aliasesSchema = z
  .record(word, aliasSchema)
  .refine((aliases) => Object.keys(aliases).length <= maxAliases);

const entryWords = "an object with model and any of effort, tier; none holds spaces or any of ? & = ,";
const allowed = `at most ${maxAliases} aliases as NAME=MODEL, with ?effort=EFFORT&tier=TIER behind the model where wanted`;

/** `fast=gpt-5.4?effort=low&tier=priority` as text, separated by commas; an object in the config file. */
export function modelAliases(): OptionType<ModelAliases> {
  return {
    ...singleValue,
    repeatable: true,
    schema: aliasesSchema,
    allowed,
    placeholder: "NAME=MODEL,...",
    fromText: (texts) => {
      const entries = texts.flatMap((text) => text.split(",")).map((text) => text.trim());
      const pairs = entries.filter((text) => text !== "").map(readAlias);
      return pairs.includes(null)
        ? texts.join(",")
        : Object.fromEntries(pairs.filter((pair) => pair !== null));
    },
    toText: (aliases) => Object.entries(aliases).map(writeAlias).join(","),
    explain: explainAliases,
  };
}

/** Null where the text is no `NAME=MODEL`. */
function readAlias(text: string): readonly [string, unknown] | null {
  const at = text.indexOf("=");
  if (at < 1) return null;
  const [model = "", query = ""] = text.slice(at + 1).split(/\?(.*)/s);
  return [
    text.slice(0, at).trim(),
    { model: model.trim(), ...Object.fromEntries(new URLSearchParams(query)) },
  ];
}

function writeAlias([name, { model, effort, tier }]: [string, ModelAlias]): string {
  const query = [
    ...(effort === undefined ? [] : [`effort=${effort}`]),
    ...(tier === undefined ? [] : [`tier=${tier}`]),
  ];
  return `${name}=${model}${query.length === 0 ? "" : `?${query.join("&")}`}`;
}

function explainAliases(value: unknown): readonly InnerFault[] {
  const issues = aliasesSchema.safeParse(value).error?.issues ?? [];
  const faults = issues.map(({ path: [name] }) =>
    typeof name === "string"
      ? { path: `.${name}`, problem: `is not allowed; it takes ${entryWords}` }
      : { path: "", problem: `is not allowed; it takes ${allowed}` },
  );
  return faults.filter(({ path }, index) => faults.findIndex((fault) => fault.path === path) === index);
}
