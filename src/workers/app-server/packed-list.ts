/** A list that is JSON already: the parts of what stands between its brackets, with commas between them. */
export class PackedList {
  readonly parts: readonly Uint8Array[];

  constructor(parts: readonly Uint8Array[]) {
    this.parts = parts;
  }
}
