/** The table of requests. One row at a time is in the tab order; the arrows move through them. */
import { useEffect, useState } from "preact/hooks";
import { routeTo } from "../../data/route.js";
import {
  type RequestFilter,
  type Sort,
  type SortKey,
  sortKeys,
  writeFilter,
} from "../../figures/request-list.js";
import { requestTexts } from "../../texts/requests.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { Empty } from "../../ui/parts.js";
import { RequestRow } from "./request-row.js";
import type { RequestList } from "./use-request-list.js";

export interface RequestTableProps {
  readonly list: RequestList;
  readonly filter: RequestFilter;
  readonly sort: Sort;
  readonly onSort: (sort: Sort) => void;
  readonly selected: string | null;
  /** Whether the service's list was read. */
  readonly isLoaded: boolean;
}

const rowsAtFirst = 50;
const rowsMore = 100;

export function RequestTable(props: RequestTableProps) {
  const { list, filter, selected, isLoaded } = props;
  const texts = useTexts(requestTexts);
  const formats = useFormats();
  const [room, setRoom] = useState(rowsAtFirst);
  const [reached, setReached] = useState<string | null>(selected);
  useEffect(() => {
    if (selected !== null) setReached(selected);
  }, [selected]);
  const shown = list.rows.slice(0, room);
  const query = writeFilter(filter);
  if (shown.length === 0) {
    return <NoRows isNarrowed={Object.keys(query).length > 0} isLoaded={isLoaded} list={list} />;
  }
  const inOrder = shown.some(({ id }) => id === reached) ? reached : shown[0]?.id;
  const rest = list.rows.length - shown.length;
  return (
    <>
      <table class="request-table">
        <caption class="unseen">{texts.caption(formats.count(list.rows.length))}</caption>
        <Head {...props} />
        <tbody onKeyDown={moveFocus}>
          {shown.map((entry) => (
            <RequestRow
              key={entry.id}
              entry={entry}
              href={routeTo("requests", query, entry.id)}
              isSelected={entry.id === selected}
              isInOrder={entry.id === inOrder}
              onReach={setReached}
            />
          ))}
        </tbody>
      </table>
      <div class="table-foot">
        {rest > 0 ? (
          <button type="button" class="secondary" onClick={() => setRoom(room + rowsMore)}>
            {texts.more(formats.count(Math.min(rest, rowsMore)))}
          </button>
        ) : (
          <Older list={list} onLoad={() => setRoom(room + rowsMore * 2)} />
        )}
      </div>
    </>
  );
}

function NoRows({
  isNarrowed,
  isLoaded,
  list,
}: {
  readonly isNarrowed: boolean;
  readonly isLoaded: boolean;
  readonly list: RequestList;
}) {
  const texts = useTexts(requestTexts);
  if (!isLoaded) return <Empty>{texts.loading}</Empty>;
  return (
    <>
      <Empty>
        {isNarrowed ? texts.noneMatch : texts.none}{" "}
        {!isNarrowed && <a href={routeTo("try")}>{texts.tryOne}</a>}
      </Empty>
      {list.older !== "none" && <Older list={list} onLoad={() => undefined} />}
    </>
  );
}

function Older({ list, onLoad }: { readonly list: RequestList; readonly onLoad: () => void }) {
  const texts = useTexts(requestTexts);
  const load = () => {
    onLoad();
    list.loadOlder();
  };
  if (list.older === "none") return <p class="muted small">{texts.noOlder}</p>;
  return (
    <>
      {list.older === "failed" && (
        <p class="problem" role="alert">
          {texts.olderFailed}
        </p>
      )}
      <button type="button" class="secondary" disabled={list.older === "loading"} onClick={load}>
        {list.older === "loading" ? texts.loadingOlder : list.older === "failed" ? texts.again : texts.older}
      </button>
    </>
  );
}

function Head({ sort, onSort }: RequestTableProps) {
  const texts = useTexts(requestTexts);
  const sortable = (key: SortKey, kind: string) => {
    const isSorted = sort.key === key;
    const direction = sort.isDescending ? "descending" : "ascending";
    return (
      <th scope="col" class={kind} aria-sort={isSorted ? direction : "none"}>
        <button
          type="button"
          class="sort"
          onClick={() => onSort({ key, isDescending: isSorted ? !sort.isDescending : true })}
        >
          {texts[key]}
          <span aria-hidden="true" class="sort-mark">
            {isSorted ? (sort.isDescending ? "↓" : "↑") : ""}
          </span>
        </button>
      </th>
    );
  };
  const [time, first, total, tokens] = sortKeys;
  return (
    <thead>
      <tr>
        {sortable(time, "col-time")}
        <th scope="col">{texts.request}</th>
        <th scope="col" class="col-caller">
          {texts.caller}
        </th>
        <th scope="col">{texts.outcome}</th>
        <th scope="col" class="col-thread">
          {texts.thread}
        </th>
        {sortable(first, "number col-first")}
        {sortable(total, "number col-total")}
        {sortable(tokens, "number col-tokens")}
      </tr>
    </thead>
  );
}

const moves: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowDown: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  PageDown: (at) => at + 10,
  PageUp: (at) => at - 10,
  Home: () => 0,
  End: (_at, count) => count - 1,
};

function moveFocus(event: KeyboardEvent): void {
  const { key, currentTarget } = event;
  const move = Object.hasOwn(moves, key) ? moves[key] : undefined;
  if (move === undefined || !(currentTarget instanceof HTMLElement)) return;
  const links = [...currentTarget.querySelectorAll<HTMLElement>("a[data-id]")];
  const { activeElement } = document;
  const at = activeElement instanceof HTMLElement ? links.indexOf(activeElement) : -1;
  if (at < 0) return;
  event.preventDefault();
  links[Math.min(links.length - 1, Math.max(0, move(at, links.length)))]?.focus();
}
