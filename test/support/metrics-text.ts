/** Reads Prometheus' text format, as far as tests need it. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function parseMetrics(text: string): readonly Sample[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", labels = "", value = ""] =
        /^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? [];
      if (name === "") throw new Error(`not a sample: ${line}`);
      const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)];
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, label = "", content = ""]) => [label, content])),
        value: Number(value),
      };
    });
}

/** Value of the one sample of that name whose labels have at least these; null where there is none. */
export function readMetric(text: string, name: string, labels: Readonly<Record<string, string>> = {}) {
  const found = parseMetrics(text).filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, content]) => sample.labels[label] === content),
  );
  if (found.length > 1) throw new Error(`${found.length} samples of ${name} fit`);
  return found[0]?.value ?? null;
}
