/** What becomes of a request's parameters: the rules that every dialect has. */
import type { JsonObject } from "../../../workers/contract/json.js";
import type { CodexNativeApiError } from "../../errors.js";
import { isGiven } from "./fields.js";

/** What becomes of a parameter, and what is said of it. */
export type Parameter =
  /** Has a native place, or is this service's own to honour. */
  | { readonly support: "mapped"; readonly note: string }
  /** Has no place: left out and listed in `native_api.ignored_parameters`, or refused, by configuration. */
  | { readonly support: "ignored" }
  /** Cannot be left out without changing what is asked for. The note says why. */
  | { readonly support: "refused"; readonly note: string };

export type Parameters = Readonly<Record<string, Parameter>>;

export const ignored: Parameter = { support: "ignored" };
export const mapped = (note: string): Parameter => ({ support: "mapped", note });
export const refused = (note: string): Parameter => ({ support: "refused", note });

/** Parameters of both of OpenAI's APIs that mean the same in both. */
export const sharedParameters: Parameters = {
  metadata: mapped(
    "Echoed; nulls count as not given. Beside OpenAI's pairs of strings it may hold `cwd`, a path, and `codexbridge`: its `taskClass` is in the log and in `native_api`, `eventMetadata` and `threadMetadata` are in the log if the configuration says so, and in `native_api` if `include` lists them. None of it is sent upstream. With `codexbridge` as an object the answer has the final message and calls only.",
  ),
  model: mapped(
    "A name of `GET /v1/models`, also with `openai/` before it, or an effort behind it: `gpt-5.5(high)`, `gpt-5.5-high`. Default: the configured one, else the catalog's.",
  ),
  moderation: refused("moderation is not supported"),
  parallel_tool_calls: mapped(
    "`false` goes to the model as an instruction; `native_api.ignored_parameters` lists it where the model did not obey.",
  ),
  priority: mapped(
    "This service's own. `background` lets interactive turns go first. Default: `interactive`.",
  ),
  prompt_cache_key: ignored,
  prompt_cache_options: ignored,
  prompt_cache_retention: ignored,
  safety_identifier: ignored,
  service_tier: mapped(
    "Passed on; `default` means none, and so does `auto` unless the name of the model stands for one.",
  ),
  stream: mapped("True for server-sent events."),
  temperature: ignored,
  tool_choice: mapped(
    "A choice offers fewer tools; a call that is required is an instruction to the model. A text that names web search declares it too.",
  ),
  top_logprobs: ignored,
  top_p: ignored,
  user: ignored,
};

/** Of the format of an answer. */
export const formatNote =
  "`json_schema` is enforced where the schema follows OpenAI's rules for strict ones, else it is an instruction to the model; so is `json_object`.";

/** Makes a dialect's own error for a parameter that it refuses. */
export type Unsupported = (param: string, reason: string) => CodexNativeApiError;

/** Refuses what cannot be left out without changing what is asked for. */
export function refuseParameters(body: JsonObject, parameters: Parameters, unsupported: Unsupported): void {
  for (const [name, value] of Object.entries(body)) {
    const parameter = parameters[name];
    if (parameter?.support === "refused" && isGiven(value)) throw unsupported(name, parameter.note);
  }
  const { modalities } = body;
  if (Array.isArray(modalities) && modalities.some((modality) => modality !== "text")) {
    throw unsupported("modalities", "only text is put out");
  }
}

/**
 * Names of the parameters that are given and that nothing reads.
 *
 * @param isIdle whether leaving out the value loses nothing.
 */
export function listUnplaced(
  body: object,
  parameters: Parameters,
  isIdle: (name: string, value: unknown) => boolean,
): readonly string[] {
  return Object.entries(body)
    .filter(
      ([name, value]) =>
        isGiven(value) && (parameters[name]?.support ?? "ignored") === "ignored" && !isIdle(name, value),
    )
    .map(([name]) => name);
}

/** What Codex makes of each tier (0.169). It sends no other that the model's catalog entry lacks, and OpenAI's catalog has no other. */
const carriedTiers: ReadonlyMap<string, string> = new Map([
  ["auto", "default"],
  ["default", "default"],
  ["fast", "priority"],
  ["flex", "flex"],
  ["priority", "priority"],
]);

/** The tier that a turn runs in, in OpenAI's words. */
export function usedTier(asked: string | null | undefined): string {
  return carriedTiers.get(asked ?? "auto") ?? "default";
}

/** Names of values without a place, of parameters that have one. */
export function listUnplacedValues(body: {
  readonly service_tier?: string | null | undefined;
  readonly stream_options?: { readonly include_obfuscation?: boolean | null | undefined } | null | undefined;
}): readonly string[] {
  const { service_tier: tier, stream_options: stream } = body;
  return [
    ...(isGiven(tier) && !carriedTiers.has(tier) ? ["service_tier"] : []),
    ...(stream?.include_obfuscation === true ? ["stream_options.include_obfuscation"] : []),
  ];
}

/** Paths of the keys that are given and that nothing reads. */
export function unreadKeys(
  parent: string,
  value: object | null | undefined,
  read: readonly string[],
): string[] {
  return Object.entries(value ?? {})
    .filter(([key, entry]) => !read.includes(key) && isGiven(entry))
    .map(([key]) => `${parent}.${key}`);
}

/** @throws what `unsupported` makes for the first ignored parameter, where the service is set to reject those. */
export function rejectIgnored(
  [first]: readonly string[],
  policy: "ignore" | "reject",
  unsupported: Unsupported,
): void {
  if (policy === "ignore" || first === undefined) return;
  throw unsupported(first, "Codex has no place for it, and this server is set to refuse it");
}
