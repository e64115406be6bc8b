/** What routes say of themselves for the OpenAPI document, which is made of nothing else. */
import type { z } from "zod";
import type { CodexNativeApiErrorCode } from "../errors.js";

export type Schema = Readonly<Record<string, unknown>>;

export interface Example {
  readonly summary: string;
  readonly value: unknown;
}

/** One operation: a method of a path. */
export interface Operation {
  readonly id: string;
  readonly tag: OperationTag;
  readonly summary: string;
  readonly description?: string;
  /** The parameters of its path and of its query, each described. */
  readonly path?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** Runs a turn, with its headers and errors. Default: no. */
  readonly runsTurn?: boolean;
  readonly body?: { readonly schema: Schema; readonly examples: Readonly<Record<string, Example>> };
  readonly answers: Readonly<Record<number, OperationAnswer>>;
  /** Beside those that every operation has. */
  readonly errors?: readonly CodexNativeApiErrorCode[];
}

export interface OperationTag {
  readonly name: string;
  readonly description: string;
}

export interface OperationAnswer {
  readonly description: string;
  /** Schemas by media type. */
  readonly content: Readonly<Record<string, Schema>>;
}

/** Refers to a schema by its name in the document. */
export function schemaRef(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** An answer in JSON, whose schema has this name. */
export function json(name: string, description: string): OperationAnswer {
  return { description, content: { "application/json": schemaRef(name) } };
}

/** For the requests that operations show. */
export const exampleSchema = {
  type: "object",
  properties: { intent: { type: "string", enum: ["question", "order", "complaint"] } },
  required: ["intent"],
  additionalProperties: false,
};

export const exampleFunction = {
  name: "get_weather",
  description: "The weather of a city now.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};
