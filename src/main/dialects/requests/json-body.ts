/** Elements of a list, in order. */
export interface ElementBatch {
  readonly firstIndex: number;
  readonly values: readonly unknown[];
}

/** A request body whose long lists are parsed a few elements at a time. */
export interface JsonBody {
  /** The whole of it, but for the elements of `input` and `messages`, which are empty lists here. */
  readonly value: unknown;
  /** The elements of a field that is such a list, once. Throws `invalid_json` where they are none. */
  readonly elements: (name: string) => AsyncIterable<ElementBatch>;
}
