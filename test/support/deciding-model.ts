/** A model that answers decisions: by their schema, and the same for every input. */
import { isJsonObject, type JsonObject } from "../../src/workers/contract/json.js";
import { type RecordedModelRequest, text } from "./offline-backend/index.js";

/** Answers every question: 0.75 is true, and the second of two or more is the likeliest. */
export function decide(request: RecordedModelRequest) {
  return text({ deltas: [JSON.stringify(answersFor(schemaOf(request)))] });
}

/** Whether the model is asked for one. */
export function isDecision({ body }: RecordedModelRequest): boolean {
  const format = body.text?.format;
  return isJsonObject(format) && isJsonObject(format.schema) && isJsonObject(format.schema.$defs);
}

/** The schema that the model is held to. */
export function schemaOf({ body }: RecordedModelRequest): JsonObject {
  const format = body.text?.format;
  if (!isJsonObject(format) || !isJsonObject(format.schema)) throw new Error("The request has no schema.");
  return format.schema;
}

export function answersFor(schema: JsonObject): JsonObject {
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

function answer(form: JsonObject): unknown {
  if (form.type === "number") return 0.75;
  if (form.type === "array") return [{ value: 1, probability: 0.9 }];
  const keys = Object.keys(objectIn(form, "properties"));
  return Object.fromEntries(keys.map((key, at) => [key, at === 1 ? 0.9 : 0.1 / (keys.length - 1)]));
}

function objectIn(value: JsonObject, key: string): JsonObject {
  const entry = value[key];
  if (!isJsonObject(entry)) throw new Error(`There is no object '${key}'.`);
  return entry;
}
