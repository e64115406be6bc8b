/** Checks answers against the caller's JSON schema. */
import { Ajv, type Options, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { LRUCache } from "lru-cache";
import type { JsonObject } from "../../workers/contract/json.js";
import { RouteFailure } from "./route-failure.js";

/** The answer as JSON. Throws a `RouteFailure` `bad_output` where it is not JSON or does not match the schema. */
export type OutputCheck = (outputText: string) => unknown;

const settings = {
  // Schemas come from many tools; a keyword that one of them adds is no fault of the answer.
  strict: false,
  // As with OpenAI, a format describes and does not bind.
  validateFormats: false,
  logger: false,
} as const satisfies Options;

/** Of a longer answer only the first fault is told: ajv keeps every one, and a list of megabytes may have millions. */
const maxCharsForAllFaults = 64 * 1024;

const maxFaultsShown = 10;

/** Compiled schemas, by their text; the least recently used one is dropped. */
export class OutputSchemas {
  readonly #checks: LRUCache<string, OutputCheck, JsonObject>;

  constructor(maxSchemas: number) {
    this.#checks = new LRUCache<string, OutputCheck, JsonObject>({
      max: maxSchemas,
      memoMethod: (_text, _stale, { context }) => compileSchema(context),
    });
  }

  get size(): number {
    return this.#checks.size;
  }

  /** Throws ajv's error for a schema that is not valid. */
  compile(schema: JsonObject): OutputCheck {
    return this.#checks.memo(JSON.stringify(schema), { context: schema });
  }
}

/** Makes a validator of its own for each schema: ajv keeps every schema it has seen, and takes no `$id` twice. */
function compileSchema(schema: JsonObject): OutputCheck {
  const { $schema: draft, ...body } = schema;
  // ajv knows draft 7 but not draft 6, which it contains; the name left in would make it look for draft 6.
  const isOld = typeof draft === "string" && /draft-0[67]/.test(draft);
  const compile = (options: Options) => (isOld ? new Ajv(options) : new Ajv2020(options)).compile(body);
  const validate = compile(settings);
  // Such a validator answers with a promise, which nobody would hear reject.
  if ("$async" in validate) throw new Error("$async is not supported.");
  let teller: ValidateFunction | null = null;
  return (outputText) => {
    const value = parseAnswer(outputText);
    if (validate(value) === true) return value;
    let { errors } = validate;
    if (outputText.length <= maxCharsForAllFaults) {
      teller ??= compile({ ...settings, allErrors: true });
      teller(value);
      errors = teller.errors;
    }
    throw new RouteFailure("bad_output", {
      code: "schema_mismatch",
      message: `The answer does not match the schema: ${describeFaults(errors)}`,
      outputText,
    });
  };
}

function describeFaults(errors: ValidateFunction["errors"]): string {
  const faults = (errors ?? []).map(
    ({ instancePath, message }) => `${instancePath || "the whole"} ${message ?? "is not allowed"}`,
  );
  const more = faults.length - maxFaultsShown;
  return `${faults.slice(0, maxFaultsShown).join("; ")}${more > 0 ? `; and ${more} more` : ""}.`;
}

/** @throws RouteFailure `bad_output` */
export function parseAnswer(outputText: string): unknown {
  try {
    return JSON.parse(stripFence(outputText));
  } catch (error) {
    throw new RouteFailure("bad_output", {
      code: "not_json",
      message: "The answer is not JSON.",
      outputText,
      cause: error,
    });
  }
}

/** Models that are asked for JSON in words often put it into a code fence. */
export function stripFence(text: string): string {
  const whole = text.trim();
  // Only the two ends are looked for: a model that has lost its way writes line ends by the thousand.
  const opening = /^```(?:json)?[^\S\n]*\n/i.exec(whole)?.[0];
  return opening !== undefined && whole.endsWith("```") ? whole.slice(opening.length, -3) : text;
}
