/** What was used since the service started, by token, model, route, task class and hour. */

import { usePageState } from "../../data/page-context.js";
import { routeTo, type ViewProps } from "../../data/route.js";
import { sumUsage } from "../../figures/usage-table.js";
import { usageTexts } from "../../texts/usage.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { Tile } from "../../ui/parts.js";
import { ViewHeading } from "../../ui/view-heading.js";
import type { Usage } from "../../wire.js";
import { CsvExport } from "./csv-export.js";
import { HourlyTokens } from "./hourly-tokens.js";
import { UsageGroups } from "./usage-groups.js";
import { useUsage } from "./use-usage.js";

export function UsageView(_props: ViewProps) {
  const texts = useTexts(usageTexts);
  const { usage, fault, isReading, read } = useUsage();
  return (
    <div class="now">
      <div class="section-head">
        <div>
          <ViewHeading>{texts.title}</ViewHeading>
          {usage !== null && <Since usage={usage} />}
        </div>
        <div class="actions">
          <button type="button" class="secondary" disabled={isReading} onClick={read}>
            {texts.refresh}
          </button>
          <CsvExport isDisabled={usage === null || usage.data.length === 0} />
        </div>
      </div>
      {fault !== null && (
        <p class="problem" role="alert">
          {texts.failed} <span class="foreign">{fault.message}</span> <code>{fault.code}</code>
        </p>
      )}
      {usage === null ? fault === null && <p class="muted">{texts.loading}</p> : <Filled usage={usage} />}
    </div>
  );
}

function Since({ usage }: { readonly usage: Usage }) {
  const texts = useTexts(usageTexts);
  const formats = useFormats();
  const offsetMs = usePageState(({ clockOffsetMs }) => clockOffsetMs);
  const nowMs = Date.now() + offsetMs;
  return (
    <p class="muted">
      {texts.since(formats.dateTime(usage.since_ms), formats.coarseSpan(nowMs - usage.since_ms))}
    </p>
  );
}

function Filled({ usage }: { readonly usage: Usage }) {
  const texts = useTexts(usageTexts);
  const formats = useFormats();
  if (usage.data.length === 0) {
    return (
      <p class="empty">
        {texts.none} <a href={routeTo("try")}>{texts.tryOne}</a>
      </p>
    );
  }
  return (
    <>
      <Totals usage={usage} />
      <HourlyTokens usage={usage} />
      <UsageGroups usage={usage} />
      {usage.other > 0 && <p class="muted small">{texts.merged(formats.count(usage.other))}</p>}
    </>
  );
}

function Totals({ usage }: { readonly usage: Usage }) {
  const texts = useTexts(usageTexts);
  const formats = useFormats();
  const sum = sumUsage(usage.data);
  const share = (part: number, whole: number) => formats.percent(whole === 0 ? 0 : part / whole);
  const tokens = sum.input + sum.output;
  return (
    <dl class="tiles">
      <Tile
        label={texts.requests}
        value={formats.count(sum.requests)}
        note={texts.failedShare(share(sum.failed, sum.requests))}
      />
      <Tile
        label={texts.total}
        value={formats.count(tokens)}
        note={texts.perRequest(formats.count(sum.requests === 0 ? 0 : tokens / sum.requests))}
      />
      <Tile
        label={texts.input}
        value={formats.count(sum.input)}
        note={texts.cachedShare(share(sum.cached, sum.input))}
      />
      <Tile
        label={texts.output}
        value={formats.count(sum.output)}
        note={texts.reasoningShare(share(sum.reasoning, sum.output))}
      />
    </dl>
  );
}
