/** Which native threads the turns ran on, and how soon each kind had the first word. */
import type { ThreadShare } from "../../figures/summary.js";
import { nowTexts } from "../../texts/now.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { Empty, Panel } from "../../ui/parts.js";

export function ThreadKinds({ threads }: { readonly threads: readonly ThreadShare[] }) {
  const texts = useTexts(nowTexts);
  const formats = useFormats();
  const total = threads.reduce((sum, { count }) => sum + count, 0);
  const names = new Map([
    ["spare", texts.thread_spare],
    ["loaded", texts.thread_loaded],
    ["parked", texts.thread_parked],
    ["new", texts.thread_new],
  ]);
  return (
    <Panel title={texts.threads} note={texts.threadsNote}>
      {total === 0 && <Empty>{texts.noLiveTurns}</Empty>}
      <ul class="kinds">
        {threads.map(({ kind, count, firstWord }) => (
          <li key={kind}>
            <div class="window-line">
              <h3 class="foreign">{names.get(kind) ?? kind}</h3>
              <span>
                {formats.percent(count / total)}{" "}
                <span class="muted small">{texts.turnCount(formats.count(count))}</span>
              </span>
            </div>
            <div class="bar" aria-hidden="true">
              <span
                class={`bar-part color-${kind === "new" ? 2 : 1}`}
                style={{ width: `${(count / total) * 100}%` }}
              />
            </div>
            <p class="muted small">
              {texts.firstWordMedian(firstWord.p50 === null ? "–" : formats.duration(firstWord.p50))}
            </p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
