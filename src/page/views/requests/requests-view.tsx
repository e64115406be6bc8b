/** The request log: a table that one can narrow, and one request beside it. */
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { usePageState } from "../../data/page-context.js";
import { routeTo, type ViewProps } from "../../data/route.js";
import { type RequestFilter, readFilter, type Sort, writeFilter } from "../../figures/request-list.js";
import { requestTexts } from "../../texts/requests.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { ViewHeading } from "../../ui/view-heading.js";
import { Filters } from "./filters.js";
import { RequestDetail } from "./request-detail.js";
import { RequestTable } from "./request-table.js";
import { useRequestList } from "./use-request-list.js";

const newestFirst: Sort = { key: "time", isDescending: true };

export function RequestsView({ route }: ViewProps) {
  const texts = useTexts(requestTexts);
  const formats = useFormats();
  const selected = route.rest;
  const query = route.query.toString();
  const filter = useMemo(() => readFilter(new URLSearchParams(query)), [query]);
  const [sort, setSort] = useState(newestFirst);
  const [isLookedAt, setLookedAt] = useState(false);
  const isLoaded = usePageState(({ areEntriesLoaded }) => areEntriesLoaded);
  const list = useRequestList(filter, sort, isLookedAt || selected !== null);
  const frame = useRef<HTMLDivElement>(null);
  const apply = (changed: RequestFilter) => {
    // Another filter is no place to go back to: typing into one would leave a place for every letter.
    location.replace(routeTo("requests", writeFilter(changed), selected ?? ""));
  };
  const close = useCallback(() => {
    location.hash = routeTo("requests", writeFilter(filter));
    focusRow(frame.current, selected);
  }, [filter, selected]);
  useEscape(selected === null ? null : close);
  return (
    <div class={selected === null ? "requests" : "requests with-detail"}>
      <div class="requests-head">
        <div>
          <ViewHeading>{texts.title}</ViewHeading>
          <p class="muted">{texts.lead}</p>
        </div>
        <div class="requests-news">
          {list.arrived > 0 && (
            <button
              type="button"
              class="secondary arrived"
              title={texts.held}
              aria-label={texts.arrivedLabel(formats.count(list.arrived))}
              onClick={list.acceptArrived}
            >
              {texts.arrived(formats.count(list.arrived))}
            </button>
          )}
          <span class="muted small">{texts.counted(formats.count(list.rows.length))}</span>
        </div>
      </div>
      <Filters filter={filter} known={list.known} onChange={apply} />
      <div class="requests-body">
        <div
          class="requests-list"
          ref={frame}
          onPointerEnter={() => setLookedAt(true)}
          onPointerLeave={() => setLookedAt(hasFocusWithin(frame.current))}
          onFocusIn={() => setLookedAt(true)}
          onFocusOut={({ relatedTarget }) => {
            const stays = relatedTarget instanceof Node && frame.current?.contains(relatedTarget) === true;
            if (!stays) setLookedAt(frame.current?.matches(":hover") === true);
          }}
        >
          <RequestTable
            list={list}
            filter={filter}
            sort={sort}
            onSort={setSort}
            selected={selected}
            isLoaded={isLoaded}
          />
        </div>
        {selected !== null && (
          <RequestDetail key={selected} id={selected} known={list.known} filter={filter} onClose={close} />
        )}
      </div>
    </div>
  );
}

function hasFocusWithin(frame: HTMLElement | null): boolean {
  return frame?.contains(document.activeElement) === true;
}

/** To the row that was open, so that a keyboard goes on from there. */
function focusRow(frame: HTMLElement | null, id: string | null): void {
  const links = frame?.querySelectorAll<HTMLElement>("a[data-id]") ?? [];
  const link = [...links].find(({ dataset }) => dataset.id === id);
  requestAnimationFrame(() => link?.focus());
}

function useEscape(close: (() => void) | null): void {
  useEffect(() => {
    if (close === null) return;
    const note = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
      event.preventDefault();
      close();
    };
    addEventListener("keydown", note);
    return () => removeEventListener("keydown", note);
  }, [close]);
}
