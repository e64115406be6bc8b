/** How large a strict schema may be, as OpenAI publishes it. */
export const strictLimits = {
  /** Objects within objects, the root counted. */
  maxDepth: 10,
  maxProperties: 5_000,
  maxEnumValues: 1_000,
  /** Property names, definition names, enum values and consts together. */
  maxNameChars: 120_000,
  /** From so many values of text on, one enum has a bound of its own. */
  largeEnumValues: 250,
  maxLargeEnumChars: 15_000,
  /** Steps to a node, whatever they are: keeps the walk off the end of the stack. */
  maxPathSteps: 200,
} as const;

/** Adds up what a schema holds. Each method says what became too much; null while all is within bounds. */
export class SchemaSize {
  #properties = 0;
  #enumValues = 0;
  #nameChars = 0;

  addProperties(names: readonly string[]): string | null {
    this.#properties += names.length;
    if (this.#properties > strictLimits.maxProperties) {
      return `brings the schema over ${strictLimits.maxProperties} properties`;
    }
    return this.addNames(names);
  }

  addEnum(values: readonly unknown[]): string | null {
    this.#enumValues += values.length;
    if (this.#enumValues > strictLimits.maxEnumValues) {
      return `brings the schema over ${strictLimits.maxEnumValues} enum values`;
    }
    if (values.length > strictLimits.largeEnumValues && countChars(values) > strictLimits.maxLargeEnumChars) {
      return `has more than ${strictLimits.largeEnumValues} values and ${strictLimits.maxLargeEnumChars} characters`;
    }
    return this.addNames(values);
  }

  addNames(names: readonly unknown[]): string | null {
    this.#nameChars += countChars(names);
    return this.#nameChars > strictLimits.maxNameChars
      ? `brings the schema over ${strictLimits.maxNameChars} characters of names and values`
      : null;
  }
}

function countChars(values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 0), 0);
}
