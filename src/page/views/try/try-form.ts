/** What the form holds, and the request that it makes. */
import { findJsonFault, type JsonFault } from "./json-fault.js";

export const dialects = ["responses", "chat", "decisions"] as const;
export type Dialect = (typeof dialects)[number];

export interface TryForm {
  readonly dialect: Dialect;
  /** Empty: the service's default. */
  readonly model: string;
  /** Empty: the model's own. */
  readonly effort: string;
  readonly instructions: string;
  readonly input: string;
  /** JSON, or empty. */
  readonly schema: string;
  readonly tools: string;
  readonly questions: string;
  readonly isStreamed: boolean;
}

export const jsonFields = ["schema", "tools", "questions"] as const;
export type JsonField = (typeof jsonFields)[number];

/** What is wrong with a field, and where. */
export type FieldFault =
  | { readonly kind: "json"; readonly fault: JsonFault }
  | {
      readonly kind: "shape";
      /** Such as `[1].name`; empty: the whole. */
      readonly path: string;
      readonly wants: "object" | "list" | "text" | "one";
    };

export type Faults = Partial<Record<JsonField | "input", FieldFault | "missing">>;

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The fields that a dialect has. */
export const fieldsOf: Readonly<Record<Dialect, readonly JsonField[]>> = {
  responses: ["schema", "tools"],
  chat: ["schema", "tools"],
  decisions: ["questions"],
};

/** `undefined` for an empty field. */
export function readJsonField(
  text: string,
  field: JsonField,
): { readonly value: unknown } | { readonly fault: FieldFault } {
  if (text.trim() === "") return { value: undefined };
  const fault = findJsonFault(text);
  if (fault !== null) return { fault: { kind: "json", fault } };
  const value: unknown = JSON.parse(text);
  const wrong = field === "schema" ? checkSchema(value) : checkList(value, field);
  return wrong === null ? { value } : { fault: wrong };
}

type ShapeFault = Extract<FieldFault, { kind: "shape" }>;

function misshaped(path: string, wants: ShapeFault["wants"]): ShapeFault {
  return { kind: "shape", path, wants };
}

function checkSchema(value: unknown): ShapeFault | null {
  return isObject(value) ? null : misshaped("", "object");
}

function checkList(value: unknown, field: "tools" | "questions"): ShapeFault | null {
  if (!Array.isArray(value)) return misshaped("", "list");
  if (field === "questions" && value.length === 0) return misshaped("", "one");
  for (const [index, one] of value.entries()) {
    const wrong = checkOne(one, `[${index}]`, field);
    if (wrong !== null) return wrong;
  }
  return null;
}

function checkOne(one: unknown, path: string, field: "tools" | "questions"): ShapeFault | null {
  if (!isObject(one)) return misshaped(path, "object");
  if (typeof one.type !== "string") return misshaped(`${path}.type`, "text");
  if (field === "questions" || one.type !== "function") return null;
  if (one.function === undefined) {
    return typeof one.name === "string" ? null : misshaped(`${path}.name`, "text");
  }
  if (!isObject(one.function)) return misshaped(`${path}.function`, "object");
  return typeof one.function.name === "string" ? null : misshaped(`${path}.function.name`, "text");
}

export interface JsonValues {
  readonly schema: unknown;
  readonly tools: unknown;
  readonly questions: unknown;
}

export function checkForm(form: TryForm): { readonly values: JsonValues } | { readonly faults: Faults } {
  const values: Record<JsonField, unknown> = { schema: undefined, tools: undefined, questions: undefined };
  const faults: Faults = {};
  for (const field of fieldsOf[form.dialect]) {
    const read = readJsonField(form[field], field);
    if ("fault" in read) faults[field] = read.fault;
    else values[field] = read.value;
  }
  if (form.dialect === "decisions" && form.questions.trim() === "") faults.questions = "missing";
  if (form.input.trim() === "") faults.input = "missing";
  return Object.keys(faults).length === 0 ? { values } : { faults };
}
