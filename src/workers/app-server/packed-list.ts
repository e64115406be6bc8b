/** A list that is already JSON: the text between its brackets in parts, to be joined by commas. */
export class PackedList {
  readonly parts: readonly Uint8Array[];

  constructor(parts: readonly Uint8Array[]) {
    this.parts = parts;
  }
}
