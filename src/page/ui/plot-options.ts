/** How uPlot draws the page's plots. */
import uPlot from "uplot";
import type { Series } from "../figures/series.js";
import type { Formats } from "../texts/format.js";

export interface PlotLook {
  readonly series: readonly Series[];
  readonly kind: "lines" | "bars";
  readonly height: number;
  readonly format: (value: number) => string;
  readonly formats: Formats;
}

/** Bars stand on each other: each is drawn from zero to its top, the topmost first. */
export function stack(
  times: readonly number[],
  series: readonly Series[],
  kind: PlotLook["kind"],
): uPlot.AlignedData {
  if (kind === "lines") return [[...times], ...series.map(({ values }) => [...values])];
  const tops: (number | null)[][] = [];
  const heights = times.map(() => 0);
  for (const { values } of series) {
    tops.push(
      values.map((value, index) => {
        heights[index] = (heights[index] ?? 0) + (value ?? 0);
        return value === null || value === 0 ? null : (heights[index] ?? 0);
      }),
    );
  }
  return [[...times], ...tops.reverse()];
}

export function plotOptions(element: HTMLElement, look: PlotLook): uPlot.Options {
  const { series, kind, height, formats } = look;
  const ink = colorOf(element, "--ink-soft");
  const line = colorOf(element, "--line");
  const drawn = kind === "bars" ? [...series].reverse() : series;
  const axis: uPlot.Axis = {
    stroke: ink,
    font: `11px ${getComputedStyle(element).fontFamily}`,
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
    border: { show: false },
  };
  return {
    width: Math.max(element.clientWidth, 100),
    height,
    cursor: { show: false },
    legend: { show: false },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    padding: [8, 8, 0, 0],
    scales: { x: { time: true, range: widen }, y: { range: (_plot, _min, max) => [0, niceTop(max)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        gap: 4,
        space: 70,
        values: (_plot, splits) => splits.map((seconds) => formats.moment(seconds * 1_000, seconds * 1_000)),
      },
      {
        ...axis,
        size: 64,
        space: 40,
        values: (_plot, splits) => splits.map((value) => look.format(value)),
      },
    ],
    series: [{}, ...drawn.map((one) => (kind === "bars" ? bar(element, one) : curve(element, one)))],
  };
}

function curve(element: HTMLElement, { name, color, isDashed }: Series): uPlot.Series {
  const stroke = colorOf(element, `--series-${color}`);
  return {
    label: name,
    stroke,
    width: isDashed ? 1.25 : 2,
    spanGaps: true,
    points: { show: isDashed !== true, size: 5, fill: stroke, stroke, width: 0 },
    ...(isDashed && { dash: [3, 4], alpha: 0.7 }),
  };
}

function bar(element: HTMLElement, { name, color }: Series): uPlot.Series {
  const fill = colorOf(element, `--series-${color}`);
  const { bars } = uPlot.paths;
  return {
    label: name,
    fill,
    stroke: fill,
    width: 0,
    points: { show: false },
    ...(bars !== undefined && { paths: bars({ size: [0.72, 28], radius: 0.15 }) }),
  };
}

/** Half a step more on both sides, so that the first and the last bar have their room. */
function widen(plot: uPlot, min: number, max: number): [number, number] {
  const [times] = plot.data;
  const half = ((times[1] ?? max) - (times[0] ?? min)) / 2 || 1;
  return [min - half, max + half];
}

function niceTop(max: number | null): number {
  return max === null || max <= 0 ? 1 : max * 1.12;
}

/** A canvas takes colours that are worked out, so the browser works them out for an element that nobody sees. */
function colorOf(element: HTMLElement, variable: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${variable})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
