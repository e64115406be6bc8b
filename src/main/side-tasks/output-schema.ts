/** Checks answers against the caller's JSON schema. */
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { JsonObject } from "../../workers/contract/json.js";
import { RouteFailure } from "./route-failure.js";

/** The answer as JSON. Throws a `RouteFailure` `bad_output` where it is none, or not what the schema wants. */
export type OutputCheck = (outputText: string) => unknown;

const settings = {
  // Schemas come from many tools: what one of them adds is no fault of the answer's.
  strict: false,
  // As OpenAI has it, a format describes.
  validateFormats: false,
  allErrors: true,
  logger: false,
} as const;

const maxFaultsTold = 10;

/** Compiled schemas, by their text; the one longest unused is forgotten. */
export class OutputSchemas {
  readonly #maxSchemas: number;
  readonly #checks = new Map<string, OutputCheck>();

  constructor(maxSchemas: number) {
    this.#maxSchemas = maxSchemas;
  }

  get size(): number {
    return this.#checks.size;
  }

  /** Throws what ajv throws for a schema that is none. */
  compile(schema: JsonObject): OutputCheck {
    const key = JSON.stringify(schema);
    const check = this.#checks.get(key) ?? compileSchema(schema);
    // Set anew, so that the map's order is that of use.
    this.#checks.delete(key);
    this.#checks.set(key, check);
    for (const oldest of this.#checks.keys()) {
      if (this.#checks.size <= this.#maxSchemas) break;
      this.#checks.delete(oldest);
    }
    return check;
  }
}

/** A validator of its own for each schema: ajv keeps every schema it has seen, and takes no `$id` twice. */
function compileSchema(schema: JsonObject): OutputCheck {
  const draft = schema.$schema;
  const isOld = typeof draft === "string" && /draft-0[67]/.test(draft);
  // Of the older drafts ajv knows 7, which takes what 6 has; the name would make it look for the other.
  const { $schema: _draft, ...body } = schema;
  const validate = isOld ? new Ajv(settings).compile(body) : new Ajv2020(settings).compile(body);
  return (outputText) => {
    const value = parseJson(outputText);
    if (validate(value) === true) return value;
    throw new RouteFailure("bad_output", {
      code: "schema_mismatch",
      message: `The answer breaks the schema: ${describeFaults(validate)}`,
      outputText,
    });
  };
}

function describeFaults({ errors }: ValidateFunction): string {
  const told = (errors ?? []).slice(0, maxFaultsTold).map(describeFault);
  const more = (errors?.length ?? 0) - told.length;
  return `${told.join("; ")}${more > 0 ? `; and ${more} more` : ""}.`;
}

function describeFault({ instancePath, message }: ErrorObject): string {
  return `${instancePath === "" ? "the whole" : instancePath} ${message ?? "is not allowed"}`;
}

function parseJson(outputText: string): unknown {
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

/** Models that are asked for JSON in words like to put it into a code fence. */
function stripFence(text: string): string {
  const fenced = /^\s*```(?:json)?\s*\n([\s\S]*?)\n\s*```\s*$/i.exec(text);
  return fenced?.[1] ?? text;
}
