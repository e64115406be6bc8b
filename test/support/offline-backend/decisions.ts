/** A model that answers decisions: by their schema, and the same for every input. */
import { isJsonObject } from "./json.js";
import type { RecordedModelRequest } from "./recorded-request.js";
import type { StreamReply } from "./reply.js";
import { text } from "./reply-builders.js";

/** A JSON schema, whoever parsed it. */
interface Schema {
  readonly [key: string]: unknown;
}

/** Answers a request for decisions, question by question: 0.75 is true, and the second of two or more is the likeliest. */
export function decide(request: RecordedModelRequest): StreamReply {
  return text({ deltas: [JSON.stringify(answersFor(schemaOf(request)))] });
}

/** Whether the model is asked for decisions, which `decide` answers. */
export function isDecision({ body }: RecordedModelRequest): boolean {
  const format = body.text?.format;
  return isJsonObject(format) && isJsonObject(format.schema) && isJsonObject(format.schema.$defs);
}

/** The schema that the model is held to. */
export function schemaOf({ body }: RecordedModelRequest): Schema {
  const format = body.text?.format;
  if (!isJsonObject(format) || !isJsonObject(format.schema)) throw new Error("The request has no schema.");
  return format.schema;
}

export function answersFor(schema: Schema): Schema {
  const definitions = objectIn(schema, "$defs");
  return Object.fromEntries(
    Object.entries(objectIn(schema, "properties")).map(([key, form]) => {
      const name = isJsonObject(form) ? String(form.$ref).replace("#/$defs/", "") : "";
      const { anyOf } = objectIn(definitions, name);
      const [own]: readonly unknown[] = Array.isArray(anyOf) ? anyOf : [];
      return [key, isJsonObject(own) ? answer(own) : null];
    }),
  );
}

function answer(form: Schema): unknown {
  if (form.type === "number") return 0.75;
  if (form.type === "array") return [{ value: 1, probability: 0.9 }];
  const keys = Object.keys(objectIn(form, "properties"));
  return Object.fromEntries(keys.map((key, at) => [key, at === 1 ? 0.9 : 0.1 / (keys.length - 1)]));
}

function objectIn(value: Schema, key: string): Schema {
  const entry = value[key];
  if (!isJsonObject(entry)) throw new Error(`There is no object '${key}'.`);
  return entry;
}
