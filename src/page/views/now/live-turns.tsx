/** The turns that run or wait, and for how long. */
import { useEntries, useNowMs } from "../../data/page-context.js";
import { routeTo } from "../../data/route.js";
import { currentStage } from "../../figures/stages.js";
import { nowTexts } from "../../texts/now.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { Empty, Panel } from "../../ui/parts.js";
import type { Entry } from "../../wire.js";
import { routeName } from "./route-names.js";

const mostShown = 8;

export function LiveTurns() {
  const texts = useTexts(nowTexts);
  const formats = useFormats();
  const live = useEntries().filter(({ state }) => state !== "ended");
  const nowMs = useNowMs(live.length === 0 ? null : 1_000);
  return (
    <Panel title={texts.liveTurns} aside={formats.count(live.length)}>
      {live.length === 0 && <Empty>{texts.noLiveTurns}</Empty>}
      <ul class="live">
        {live.slice(0, mostShown).map((entry) => (
          <LiveTurn key={entry.id} entry={entry} nowMs={nowMs} />
        ))}
      </ul>
      {live.length > mostShown && (
        <p class="muted small">{texts.moreTurns(formats.count(live.length - mostShown))}</p>
      )}
    </Panel>
  );
}

function LiveTurn({ entry, nowMs }: { readonly entry: Entry; readonly nowMs: number }) {
  const texts = useTexts(nowTexts);
  const formats = useFormats();
  const stage = currentStage(entry.timings);
  return (
    <li>
      <span class={`live-dot live-${entry.state}`} />
      <div class="live-what">
        <a class="foreign" href={routeTo("requests", {}, entry.id)}>
          {entry.model ?? entry.requested_model ?? texts.anyModel}
        </a>
        <span class="muted small foreign">
          {routeName(entry.route)}
          {entry.caller !== null && ` · ${entry.caller}`}
        </span>
      </div>
      <div class="live-how">
        <span>{formats.span(Math.max(0, nowMs - entry.started_at_ms))}</span>
        <span class="muted small">{texts[`stage_${stage}`]}</span>
      </div>
    </li>
  );
}
