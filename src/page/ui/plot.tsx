/** A plot over time, drawn by uPlot on a canvas, with the same figures as a table for who does not see it. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Series } from "../figures/series.js";
import { partTexts } from "../texts/parts.js";
import { useFormats, useTexts } from "../texts/use-texts.js";
import { DataTable } from "./data-table.js";
import { Empty } from "./parts.js";
import { plotOptions, stack } from "./plot-options.js";

export interface PlotProps {
  readonly title: string;
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly kind: "lines" | "bars";
  readonly format: (value: number) => string;
  readonly height?: number;
}

export function Plot(props: PlotProps) {
  const { title, series } = props;
  const texts = useTexts(partTexts);
  const isEmpty = series.every(({ values }) => values.every((value) => value === null || value === 0));
  if (isEmpty) return <Empty>{texts.noData}</Empty>;
  return (
    <figure class="plot" aria-label={title}>
      <Canvas {...props} />
      <Legend {...props} />
      <PlotTable {...props} />
    </figure>
  );
}

/** Another height, kind or set of series needs another plot; other figures do not. */
function Canvas({ title, times, series, kind, format, height = 190 }: PlotProps) {
  const texts = useTexts(partTexts);
  const formats = useFormats();
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useThemeChanges();
  const shape = JSON.stringify([
    kind,
    height,
    theme,
    series.map(({ name, color, isDashed }) => [name, color, isDashed]),
  ]);
  const data = useMemo(() => stack(times, series, kind), [times, series, kind]);
  const dataNow = useRef(data);
  dataNow.current = data;
  // `shape` stands for all that the options are made of.
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const options = plotOptions(element, { series, kind, height, format, formats });
    const drawn = new uPlot(options, dataNow.current, element);
    plot.current = drawn;
    const resized = new ResizeObserver(() => {
      if (element.clientWidth > 0) drawn.setSize({ width: element.clientWidth, height });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      plot.current = null;
      drawn.destroy();
    };
  }, [shape, formats]);
  useEffect(() => {
    if (plot.current !== null && plot.current.data !== data) plot.current.setData(data);
  }, [data]);
  const latest = series.map(({ name, values }) =>
    texts.latest(
      name,
      formatOr(
        values.findLast((value) => value !== null),
        format,
      ),
    ),
  );
  return (
    <div ref={frame} class="plot-canvas" role="img" aria-label={texts.plotOf(title, latest.join(", "))} />
  );
}

function Legend({ series, kind }: PlotProps) {
  const texts = useTexts(partTexts);
  const hasDashes = series.some(({ isDashed }) => isDashed);
  return (
    <ul class="legend">
      {series.map(
        ({ group, color, isDashed }) =>
          !isDashed && (
            <li key={group}>
              <span class={`key key-${kind} color-${color}`} />
              <span class="foreign">{group}</span>
            </li>
          ),
      )}
      {hasDashes && (
        <li class="legend-note">
          <span class="key" /> {texts.median} <span class="key key-dashed" /> {texts.p95}
        </li>
      )}
    </ul>
  );
}

/** Made when it is opened only: a table of all plots each second would cost more than the plots. */
function PlotTable({ title, times, series, format }: PlotProps) {
  const texts = useTexts(partTexts);
  const formats = useFormats();
  const [isOpen, setOpen] = useState(false);
  const rows = times.map((time, index) => ({
    time,
    values: series.map(({ values }) => values[index] ?? null),
  }));
  const columns = series.map(({ name }, index) => ({
    name,
    isNumber: true,
    show: ({ values }: (typeof rows)[number]) => formatOr(values[index], format),
  }));
  const time = {
    name: texts.time,
    show: (row: (typeof rows)[number]) => formats.moment(row.time * 1_000, Date.now()),
  };
  return (
    <details class="plot-table" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{texts.asTable}</summary>
      {isOpen && (
        <DataTable
          caption={title}
          columns={[time, ...columns]}
          rows={rows.filter(({ values }) => values.some((value) => value !== null && value !== 0)).reverse()}
          keyOf={(row) => String(row.time)}
        />
      )}
    </details>
  );
}

function formatOr(value: number | null | undefined, format: (value: number) => string): string {
  return value == null ? "–" : format(value);
}

/** Counts changes of the colours, which a canvas does not notice by itself. */
function useThemeChanges(): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const note = () => setChanges((count) => count + 1);
    const system = matchMedia("(prefers-color-scheme: dark)");
    const chosen = new MutationObserver(note);
    chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    system.addEventListener("change", note);
    return () => {
      chosen.disconnect();
      system.removeEventListener("change", note);
    };
  }, []);
  return changes;
}
