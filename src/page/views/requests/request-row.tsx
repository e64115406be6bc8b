import { useMemo } from "preact/hooks";
import { useNowMs } from "../../data/page-context.js";
import { type ThreadKind, threadKindOf } from "../../figures/thread-kinds.js";
import { requestTexts } from "../../texts/requests.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import type { Entry } from "../../wire.js";
import { OutcomeBadge } from "./outcome-badge.js";

export interface RequestRowProps {
  readonly entry: Entry;
  readonly href: string;
  readonly isSelected: boolean;
  /** In the tab order. */
  readonly isInOrder: boolean;
  readonly onReach: (id: string) => void;
}

/** Drawn again only when it says something else, since the list is redrawn with each event. */
export function RequestRow({ entry, href, isSelected, isInOrder, onReach }: RequestRowProps) {
  const texts = useTexts(requestTexts);
  const formats = useFormats();
  const { id, started_at_ms: startedAtMs, timings, usage, thread, caller, error, attempts } = entry;
  const kind = threadKindOf(thread?.kind ?? null);
  return useMemo(
    () => (
      <tr
        class={isSelected ? "row row-selected" : "row"}
        onClick={(event) => follow(event, href)}
        aria-current={isSelected ? "true" : undefined}
      >
        <th scope="row" class="col-time">
          <a
            href={href}
            data-id={id}
            tabIndex={isInOrder ? 0 : -1}
            title={`${formats.dateTime(startedAtMs)} · ${id}`}
            onFocus={() => onReach(id)}
          >
            {formats.clock(startedAtMs)}
          </a>
        </th>
        <td class="col-request">
          <span class="row-model foreign">{entry.model ?? entry.requested_model ?? texts.anyModel}</span>
          <span class="row-route foreign">{entry.route ?? texts.noRoute}</span>
        </td>
        <td class="col-caller foreign">{caller ?? "–"}</td>
        <td class="col-outcome">
          <OutcomeBadge entry={entry} />
          {error !== null && <code class="row-code foreign">{error.code}</code>}
        </td>
        <td class="col-thread">
          {kind === null ? "–" : <ThreadName kind={kind} />}
          {attempts > 1 && <span class="row-retried">{texts.retriedTimes(formats.count(attempts))}</span>}
        </td>
        <td class="number col-first">
          {timings.first_output_ms === null ? "–" : formats.duration(timings.first_output_ms)}
        </td>
        <td class="number col-total">
          {timings.ended_ms === null ? (
            <RunningFor startedAtMs={startedAtMs} />
          ) : (
            formats.duration(timings.ended_ms)
          )}
        </td>
        <td class="number col-tokens">{usage === null ? "–" : formats.short(usage.total_tokens)}</td>
      </tr>
    ),
    [entry, href, isSelected, isInOrder, texts, formats],
  );
}

function ThreadName({ kind }: { readonly kind: ThreadKind }) {
  const texts = useTexts(requestTexts);
  return <span class={`thread-kind thread-${kind}`}>{texts[`thread_${kind}`]}</span>;
}

function RunningFor({ startedAtMs }: { readonly startedAtMs: number }) {
  const formats = useFormats();
  const nowMs = useNowMs(1_000);
  return <span class="running-for">{formats.span(Math.max(0, nowMs - startedAtMs))}</span>;
}

/** A click anywhere in the row, but for one that selects text or is meant for the link. */
function follow(event: MouseEvent, href: string): void {
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  const isOnLink = event.target instanceof Element && event.target.closest("a") !== null;
  if (!isPlain || isOnLink || String(getSelection() ?? "") !== "") return;
  location.hash = href;
}
