/** A fault counter that remembers. */
export class FaultLog {
  readonly counts: Record<string, number> = {};
  readonly count = (name: string): void => {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  };
}
