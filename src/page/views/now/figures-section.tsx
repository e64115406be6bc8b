/** How the last requests went, in figures and plots. */
import { useId, useMemo, useState } from "preact/hooks";
import { maxEntries } from "../../data/entry-ring.js";
import { usePageState } from "../../data/page-context.js";
import { routeTo } from "../../data/route.js";
import { quantileSeries, timesOf, tokenSeries } from "../../figures/series.js";
import type { Summary } from "../../figures/summary.js";
import { nowTexts } from "../../texts/now.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { Choice, Panel, Tile } from "../../ui/parts.js";
import { Plot } from "../../ui/plot.js";
import type { Entry } from "../../wire.js";
import { ErrorCodes } from "./error-codes.js";
import { routeColor, routeName } from "./route-names.js";
import { ThreadKinds } from "./thread-kinds.js";
import { type Figures, type SpanName, spanNames, useFigures } from "./use-figures.js";
import { WhereTimeWent } from "./where-time-went.js";

export function FiguresSection() {
  const texts = useTexts(nowTexts);
  const formats = useFormats();
  const id = useId();
  const [span, setSpan] = useState<SpanName>("1h");
  const figures = useFigures(span);
  const isFull = usePageState(({ entries }) => entries.length >= maxEntries);
  const nameOf = (name: SpanName) => texts[`span_${name}`];
  return (
    <section class="figures" aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{texts[`figures_${span}`](formats.count(figures.summary.ended))}</h2>
        <Choice label={texts.span} values={spanNames} chosen={span} nameOf={nameOf} onChoose={setSpan} />
      </div>
      {isFull && <p class="muted small">{texts.bounded(formats.count(maxEntries))}</p>}
      {figures.summary.ended === 0 ? <NoTurns /> : <Filled figures={figures} />}
    </section>
  );
}

function NoTurns() {
  const texts = useTexts(nowTexts);
  return (
    <p class="empty">
      {texts.noTurns} <a href={routeTo("try")}>{texts.tryOne}</a>
    </p>
  );
}

function Filled({ figures }: { readonly figures: Figures }) {
  return (
    <>
      <FigureTiles summary={figures.summary} />
      <div class="columns">
        <TimePlot figures={figures} title="firstWord" timeOf={firstWordOf} />
        <TimePlot figures={figures} title="turnTime" timeOf={turnTimeOf} />
      </div>
      <WhereTimeWent entries={figures.entries} />
      <div class="columns">
        <ThreadKinds threads={figures.summary.threads} />
        <div class="stacked">
          <TokenPlot figures={figures} />
          <ErrorCodes errors={figures.summary.errors} />
        </div>
      </div>
    </>
  );
}

function FigureTiles({ summary }: { readonly summary: Summary }) {
  const texts = useTexts(nowTexts);
  const formats = useFormats();
  const durationOr = (ms: number | null) => (ms === null ? "–" : formats.duration(ms));
  return (
    <dl class="tiles">
      <Tile
        label={`${texts.firstWord}, ${texts.median}`}
        value={durationOr(summary.firstWord.p50)}
        note={texts.p95(durationOr(summary.firstWord.p95))}
      />
      <Tile
        label={`${texts.turnTime}, ${texts.median}`}
        value={durationOr(summary.turn.p50)}
        note={texts.p95(durationOr(summary.turn.p95))}
      />
      <Tile
        label={texts.tokensPerMinute}
        value={formats.short(summary.tokensPerMinute)}
        note={texts.tokensTotal(formats.short(summary.tokens))}
      />
      <Tile
        label={texts.cacheShare}
        value={summary.cacheShare === null ? "–" : formats.percent(summary.cacheShare)}
        note={texts.cacheNote}
      />
      <Tile
        label={texts.failed}
        value={formats.count(summary.failed)}
        note={texts.failedOf(formats.count(summary.ended))}
        tone={summary.failed > 0 ? "bad" : "plain"}
      />
    </dl>
  );
}

const firstWordOf = ({ timings }: Entry) => timings.first_output_ms;
const turnTimeOf = ({ timings, thread }: Entry) => (thread === null ? null : timings.ended_ms);

interface TimePlotProps {
  readonly figures: Figures;
  readonly title: "firstWord" | "turnTime";
  readonly timeOf: (entry: Entry) => number | null;
}

function TimePlot({ figures: { span, entries }, title, timeOf }: TimePlotProps) {
  const texts = useTexts(nowTexts);
  const formats = useFormats();
  const series = useMemo(
    () =>
      quantileSeries(entries, span, {
        groupOf: ({ route }) => routeName(route),
        measure: timeOf,
        colorOf: routeColor,
      }),
    [entries, span, timeOf],
  );
  const times = useMemo(() => timesOf(span), [span]);
  return (
    <Panel title={texts[title]}>
      <Plot title={texts[title]} times={times} series={series} kind="lines" format={formats.duration} />
    </Panel>
  );
}

const groupings = ["model", "token"] as const;
type Grouping = (typeof groupings)[number];

function TokenPlot({ figures: { span, entries } }: { readonly figures: Figures }) {
  const texts = useTexts(nowTexts);
  const formats = useFormats();
  const [by, setBy] = useState<Grouping>("model");
  const { noToken, otherGroup } = texts;
  const series = useMemo(
    () =>
      tokenSeries(entries, span, {
        groupOf: ({ model, caller }) => (by === "model" ? (model ?? otherGroup) : (caller ?? noToken)),
        restName: otherGroup,
        mostGroups: 5,
      }),
    [entries, span, by, noToken, otherGroup],
  );
  const times = useMemo(() => timesOf(span), [span]);
  const choice = (
    <Choice
      label={texts.groupTokens}
      values={groupings}
      chosen={by}
      nameOf={(value) => (value === "model" ? texts.byModel : texts.byToken)}
      onChoose={setBy}
    />
  );
  return (
    <Panel title={texts.tokensPerMinute} aside={choice}>
      <Plot title={texts.tokensPerMinute} times={times} series={series} kind="bars" format={formats.short} />
    </Panel>
  );
}
