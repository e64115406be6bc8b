/** The mean turn, stage by stage: all of it, the part before the model enlarged, and each route. */
import { useMemo } from "preact/hooks";
import { meanStages, type Stage, type StageMeans, stages } from "../../figures/stages.js";
import { groupBy } from "../../figures/summary.js";
import { nowTexts } from "../../texts/now.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { DataTable } from "../../ui/data-table.js";
import { Panel } from "../../ui/parts.js";
import type { Entry } from "../../wire.js";
import { routeName } from "./route-names.js";

const stageColors: Readonly<Record<Stage, number>> = {
  prepare: 7,
  queue: 2,
  thread: 1,
  start: 5,
  model: 3,
  output: 4,
  finish: 6,
};
const beforeModel: readonly Stage[] = ["prepare", "queue", "thread", "start"];
const ours: readonly Stage[] = ["prepare", "thread", "start", "finish"];

export function WhereTimeWent({ entries }: { readonly entries: readonly Entry[] }) {
  const texts = useTexts(nowTexts);
  const formats = useFormats();
  const all = useMemo(() => meanStages(entries), [entries]);
  const routes = useMemo(() => listRoutes(entries), [entries]);
  if (all === null) return null;
  const oursMs = sumOf(ours, all);
  const beforeMs = sumOf(beforeModel, all);
  const longestMs = Math.max(...routes.map(({ means }) => means.totalMs));
  return (
    <Panel
      title={texts.where}
      note={texts.whereNote}
      aside={texts.whole(formats.duration(all.totalMs), formats.count(all.count))}
    >
      <p class="lead">{texts.ours(formats.duration(oursMs), formats.fine(all.times.queue))}</p>
      <StageBar means={all} shown={stages} lengthMs={all.totalMs} isTall />
      <svg class="zoom" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <polygon points={`0,0 ${(beforeMs / all.totalMs) * 100},0 100,10 0,10`} />
      </svg>
      <StageBar means={all} shown={beforeModel} lengthMs={beforeMs} isTall />
      <p class="muted small">{texts.zoomed(formats.duration(beforeMs))}</p>
      <div class="where-split">
        <StageTable means={all} />
        <ul class="routes">
          {routes.map(({ name, means }) => (
            <li key={name}>
              <div class="window-line">
                <h3 class="foreign">{name}</h3>
                <span class="muted small">
                  {texts.whole(formats.duration(means.totalMs), formats.count(means.count))}
                </span>
              </div>
              <StageBar means={means} shown={stages} lengthMs={longestMs} />
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}

function sumOf(some: readonly Stage[], { times }: StageMeans): number {
  return some.reduce((sum, stage) => sum + times[stage], 0);
}

function listRoutes(entries: readonly Entry[]) {
  return [...groupBy(entries, ({ route }) => routeName(route))]
    .flatMap(([name, members]) => {
      const means = meanStages(members);
      return means === null ? [] : [{ name, means }];
    })
    .sort((left, right) => right.means.count - left.means.count)
    .slice(0, 6);
}

interface StageBarProps {
  readonly means: StageMeans;
  readonly shown: readonly Stage[];
  /** What the whole width stands for. */
  readonly lengthMs: number;
  readonly isTall?: boolean;
}

/** For the eye only: the same figures are in the table. */
function StageBar({ means, shown, lengthMs, isTall = false }: StageBarProps) {
  return (
    <div class={isTall ? "bar bar-tall" : "bar"} aria-hidden="true">
      {shown.map((stage) => (
        <span
          key={stage}
          class={`bar-part color-${stageColors[stage]}`}
          style={{ width: `${lengthMs === 0 ? 0 : (means.times[stage] / lengthMs) * 100}%` }}
        />
      ))}
    </div>
  );
}

function StageTable({ means }: { readonly means: StageMeans }) {
  const texts = useTexts(nowTexts);
  const formats = useFormats();
  const columns = [
    {
      name: texts.stage,
      show: (stage: Stage) => (
        <span class="keyed">
          <span class={`key key-part color-${stageColors[stage]}`} />
          {texts[`stage_${stage}`]}
        </span>
      ),
    },
    { name: texts.mean, isNumber: true, show: (stage: Stage) => formats.fine(means.times[stage]) },
    {
      name: texts.share,
      isNumber: true,
      show: (stage: Stage) => formats.percent(means.times[stage] / means.totalMs),
    },
  ];
  return <DataTable caption={texts.where} columns={columns} rows={stages} keyOf={(stage) => stage} />;
}
