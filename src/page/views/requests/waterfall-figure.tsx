/** The stages of a request as bars on one line of time, and as a table for who does not see them. */
import { useNowMs } from "../../data/page-context.js";
import type { Stage } from "../../figures/stages.js";
import { threadKindOf } from "../../figures/thread-kinds.js";
import { type Waterfall, type WaterfallPart, waterfallOf } from "../../figures/waterfall.js";
import { detailTexts } from "../../texts/requests.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { DataTable } from "../../ui/data-table.js";
import type { Entry } from "../../wire.js";

const colors: Readonly<Record<Stage, number>> = {
  prepare: 6,
  queue: 2,
  thread: 3,
  start: 5,
  model: 4,
  output: 1,
  finish: 7,
};

export function WaterfallFigure({ entry }: { readonly entry: Entry }) {
  const texts = useTexts(detailTexts);
  const formats = useFormats();
  const isOpen = entry.state !== "ended";
  const nowMs = useNowMs(isOpen ? 500 : null);
  const figure = waterfallOf(entry.timings, isOpen ? Math.max(0, nowMs - entry.started_at_ms) : null);
  const nameOf = useStageName(entry);
  return (
    <section class="detail-part" aria-labelledby="waterfall-heading">
      <h3 id="waterfall-heading">{texts.waterfall}</h3>
      <div class="waterfall" aria-hidden="true">
        <Rules figure={figure} />
        {figure.parts.map((part) => (
          <Bar key={part.stage} part={part} totalMs={figure.totalMs} name={nameOf(part.stage)} />
        ))}
        <Marks entry={entry} totalMs={figure.totalMs} />
      </div>
      {entry.retries.length > 0 && (
        <>
          <p class="small muted">{texts.lastAttempt}</p>
          <ul class="retries" aria-label={texts.retries}>
            {entry.retries.map(({ code, at_ms }) => (
              <li key={`${code} ${at_ms}`} class="foreign">
                {texts.retryAt(code, formats.fine(at_ms))}
              </li>
            ))}
          </ul>
        </>
      )}
      <details class="plot-table">
        <summary>{texts.asTable}</summary>
        <DataTable
          caption={texts.waterfallTable}
          rows={figure.parts}
          keyOf={({ stage }) => stage}
          columns={[
            { name: texts.stage, show: ({ stage }) => nameOf(stage) },
            { name: texts.from, show: ({ fromMs }) => formats.fine(fromMs), isNumber: true },
            { name: texts.to, show: (part) => endOf(part, formats.fine, texts.going), isNumber: true },
            { name: texts.took, show: ({ fromMs, toMs }) => formats.fine(toMs - fromMs), isNumber: true },
          ]}
        />
      </details>
    </section>
  );
}

function endOf({ toMs, isOpen }: WaterfallPart, format: (ms: number) => string, going: string): string {
  return isOpen ? going : format(toMs);
}

function useStageName({ thread }: Entry): (stage: Stage) => string {
  const texts = useTexts(detailTexts);
  const kind = threadKindOf(thread?.kind ?? null);
  return (stage) =>
    stage === "thread" && kind !== null ? texts[`stage_thread_${kind}`] : texts[`stage_${stage}`];
}

/** Lines at round times, with the time above each. */
function Rules({ figure: { rulesMs, totalMs } }: { readonly figure: Waterfall }) {
  const formats = useFormats();
  return (
    <div class="waterfall-rules">
      {rulesMs.map((ms) => (
        <span key={ms} class="waterfall-rule" style={{ left: `${(ms / totalMs) * 100}%` }}>
          {/* The last one would stand outside. */}
          {ms / totalMs < 0.94 && <span class="waterfall-time">{ms === 0 ? "0" : formats.fine(ms)}</span>}
        </span>
      ))}
    </div>
  );
}

interface BarProps {
  readonly part: WaterfallPart;
  readonly totalMs: number;
  readonly name: string;
}

function Bar({ part: { stage, fromMs, toMs, isOpen, isBroken }, totalMs, name }: BarProps) {
  const formats = useFormats();
  const left = `${(fromMs / totalMs) * 100}%`;
  const width = `${((toMs - fromMs) / totalMs) * 100}%`;
  return (
    <div class="waterfall-row">
      <span class="waterfall-name">{name}</span>
      <span class="waterfall-track">
        <span
          class={`waterfall-bar color-${colors[stage]}${isOpen ? " waterfall-open" : ""}${isBroken ? " waterfall-broken" : ""}`}
          style={{ left, width }}
        />
      </span>
      <span class="waterfall-took">{formats.fine(toMs - fromMs)}</span>
    </div>
  );
}

function Marks({ entry: { retries }, totalMs }: { readonly entry: Entry; readonly totalMs: number }) {
  return (
    <div class="waterfall-marks">
      {retries.map(({ code, at_ms }) => (
        <span
          key={`${code} ${at_ms}`}
          class="waterfall-mark"
          style={{ left: `${Math.min(100, (at_ms / totalMs) * 100)}%` }}
        />
      ))}
    </div>
  );
}
