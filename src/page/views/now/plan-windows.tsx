/** How much of the plan is used, until when, and where that leads. */
import { useNowMs } from "../../data/page-context.js";
import { elapsedPart, type Forecast, forecast } from "../../figures/forecast.js";
import { nowTexts } from "../../texts/now.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { Empty, Panel } from "../../ui/parts.js";
import type { PlanWindow } from "../../wire.js";

export function PlanWindows({ windows }: { readonly windows: readonly PlanWindow[] }) {
  const texts = useTexts(nowTexts);
  const nowMs = useNowMs(windows.length === 0 ? null : 30_000);
  return (
    <Panel title={texts.planWindows}>
      {windows.length === 0 ? (
        <Empty>{texts.noPlan}</Empty>
      ) : (
        <>
          {windows.map((window) => (
            <Window key={window.name} window={window} nowMs={nowMs} />
          ))}
          <p class="muted small">{texts.elapsedMark}</p>
        </>
      )}
    </Panel>
  );
}

function Window({ window, nowMs }: { readonly window: PlanWindow; readonly nowMs: number }) {
  const texts = useTexts(nowTexts);
  const formats = useFormats();
  const { name, used_percent: used, window_minutes: minutes, resets_at_ms: resetsAtMs } = window;
  const title = minutes === null ? name : texts.windowName(formats.span(minutes * 60_000));
  const estimate = forecast(window, nowMs);
  const elapsed = elapsedPart(window, nowMs);
  const inFull = (atMs: number) => [formats.moment(atMs, nowMs), formats.coarseSpan(atMs - nowMs)] as const;
  const sayEstimate = (): string => {
    switch (estimate.kind) {
      case "none":
        return texts.estimateNone;
      case "used_up":
        return texts.usedUp;
      case "lasts":
        return texts.estimateLasts(formats.percent(estimate.percentAtReset / 100));
      case "runs_out":
        return texts.estimateRunsOut(...inFull(estimate.atMs));
    }
  };
  return (
    <div class="window">
      <div class="window-line">
        <h3 class="foreign">{title}</h3>
        <span>{texts.used(formats.percent(used / 100))}</span>
      </div>
      <meter class="unseen" aria-label={title} min={0} max={100} value={used}>
        {texts.used(formats.percent(used / 100))}
      </meter>
      <div class={`meter meter-${toneOf(used, estimate)}`} aria-hidden="true">
        <span class="meter-part" style={{ width: `${Math.min(100, used)}%` }} />
        {elapsed !== null && <span class="meter-mark" style={{ left: `${elapsed * 100}%` }} />}
      </div>
      <p class="small muted">
        {resetsAtMs !== null && resetsAtMs > nowMs && `${texts.resets(...inFull(resetsAtMs))} `}
        {sayEstimate()}
      </p>
    </div>
  );
}

function toneOf(used: number, { kind }: Forecast): "good" | "warn" | "bad" {
  if (used >= 95) return "bad";
  return kind === "runs_out" || used >= 80 ? "warn" : "good";
}
