import { useMemo } from "preact/hooks";
import { usePageState } from "../../data/page-context.js";
import { timesOf } from "../../figures/series.js";
import { usageByHour } from "../../figures/usage-table.js";
import { usageTexts } from "../../texts/usage.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { Panel } from "../../ui/parts.js";
import { Plot } from "../../ui/plot.js";
import type { Usage } from "../../wire.js";

/** Two days. */
const mostHours = 48;

export function HourlyTokens({ usage }: { readonly usage: Usage }) {
  const texts = useTexts(usageTexts);
  const formats = useFormats();
  const offsetMs = usePageState(({ clockOffsetMs }) => clockOffsetMs);
  const { newInput, cachedInput, writtenOutput } = texts;
  const { times, series } = useMemo(() => {
    const { span, sums } = usageByHour(usage.data, Date.now() + offsetMs, mostHours);
    const one = (name: string, color: number, values: readonly number[]) => ({
      name,
      group: name,
      color,
      values,
    });
    return {
      times: timesOf(span),
      series: [
        one(
          cachedInput,
          5,
          sums.map(({ cached }) => cached),
        ),
        one(
          newInput,
          1,
          sums.map(({ input, cached }) => input - cached),
        ),
        one(
          writtenOutput,
          3,
          sums.map(({ output }) => output),
        ),
      ],
    };
  }, [usage, offsetMs, newInput, cachedInput, writtenOutput]);
  return (
    <Panel title={texts.hourly}>
      <Plot
        title={texts.hourly}
        times={times}
        series={series}
        kind="bars"
        format={formats.short}
        height={210}
      />
    </Panel>
  );
}
