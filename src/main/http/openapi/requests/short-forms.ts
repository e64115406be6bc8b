import type { Schema } from "../types.js";

/** What is completed before it is checked: items without a type, and text in place of a message's parts. */
export function allowShortForms(schemas: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> {
  const { InputMessage: message = {}, InputItemReference: reference = {} } = schemas;
  const { content } = propertiesOf(message);
  return {
    ...schemas,
    InputMessage: {
      ...withoutType(message, "message"),
      properties: {
        ...propertiesOf(withoutType(message, "message")),
        content: { anyOf: [{ type: "string" }, content] },
      },
    },
    InputItemReference: withoutType(reference, "item_reference"),
  };
}

function withoutType(schema: Schema, type: string): Schema {
  const required = Array.isArray(schema.required) ? schema.required.filter((name) => name !== "type") : [];
  return { ...schema, properties: { ...propertiesOf(schema), type: { enum: [type, null] } }, required };
}

function propertiesOf({ properties }: Schema): Schema {
  return typeof properties === "object" && properties !== null ? { ...properties } : {};
}
