/** The requests that pass the filter, with older ones on demand. While one looks at them, rows stay where they are. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError } from "../../data/api.js";
import { maxEntries } from "../../data/entry-ring.js";
import { useApi, useEntries } from "../../data/page-context.js";
import { listQuery, passes, type RequestFilter, type Sort, sortEntries } from "../../figures/request-list.js";
import { type Entry, entryPageSchema } from "../../wire.js";

/** Of older ones; whoever wants more narrows the filter. */
const mostOlder = 5_000;
const pageSize = 200;

export type OlderState = "there" | "loading" | "none" | "failed";

export interface RequestList {
  readonly rows: readonly Entry[];
  /** Of the rows there is room for now. */
  readonly arrived: number;
  readonly acceptArrived: () => void;
  readonly older: OlderState;
  readonly loadOlder: () => void;
  /** All that the page knows, for chains and for the values of filters. */
  readonly known: readonly Entry[];
}

export function useRequestList(filter: RequestFilter, sort: Sort, isHeld: boolean): RequestList {
  const live = useEntries();
  const filterKey = JSON.stringify(filter);
  const { loaded, ...older } = useOlder(filter, filterKey, live);
  const known = useMemo(() => {
    const ids = new Set(live.map(({ id }) => id));
    return [...live, ...loaded.filter(({ id }) => !ids.has(id))];
  }, [live, loaded]);
  const sorted = useMemo(
    () =>
      sortEntries(
        known.filter((entry) => passes(entry, filter)),
        sort,
      ),
    [known, filterKey, sort],
  );
  const [accepted, setAccepted] = useState(0);
  const held = useHeldOrder(sorted, known, isHeld, JSON.stringify([filterKey, sort, accepted]));
  // A list that was shorter than what was asked for was the whole log.
  const isWhole = live.length < maxEntries;
  const state = isWhole ? "none" : older.older;
  return { ...held, ...older, older: state, known, acceptArrived: () => setAccepted((count) => count + 1) };
}

/** Held rows keep their order, and what they say stays up to date. What is older than all of them is put behind them. */
function useHeldOrder(sorted: readonly Entry[], known: readonly Entry[], isHeld: boolean, key: string) {
  const order = useRef<{ readonly key: string; readonly ids: readonly string[] } | null>(null);
  return useMemo(() => {
    const before = order.current;
    if (!isHeld || before?.key !== key) {
      order.current = { key, ids: sorted.map(({ id }) => id) };
      return { rows: sorted, arrived: 0 };
    }
    const byId = new Map(known.map((entry) => [entry.id, entry]));
    const rows = before.ids.flatMap((id) => byId.get(id) ?? []);
    const ids = new Set(before.ids);
    const oldestMs = Math.min(...rows.map(({ started_at_ms }) => started_at_ms));
    const others = sorted.filter(({ id }) => !ids.has(id));
    const behind = others.filter(({ started_at_ms }) => started_at_ms < oldestMs);
    if (behind.length > 0) order.current = { key, ids: [...before.ids, ...behind.map(({ id }) => id)] };
    return { rows: [...rows, ...behind], arrived: others.length - behind.length };
  }, [sorted, known, isHeld, key]);
}

function useOlder(filter: RequestFilter, filterKey: string, live: readonly Entry[]) {
  const api = useApi();
  const [loaded, setLoaded] = useState<readonly Entry[]>([]);
  const [older, setOlder] = useState<OlderState>("there");
  const run = useRef<AbortController | null>(null);
  // Another filter has other older requests.
  useEffect(() => {
    setLoaded([]);
    setOlder("there");
    return () => run.current?.abort();
  }, [filterKey]);
  const load = async (signal: AbortSignal, afterId: string): Promise<void> => {
    try {
      const path = `/v1/requests?${listQuery(filter, afterId, pageSize)}`;
      const page = await api.read(path, entryPageSchema, { signal });
      if (signal.aborted) return;
      const all = [...loaded, ...page.data];
      setLoaded(all.slice(0, mostOlder));
      setOlder(page.has_more && all.length < mostOlder ? "there" : "none");
    } catch (error) {
      if (signal.aborted) return;
      // 400: the service no longer has the request to go on from, nor any older one.
      setOlder(error instanceof ApiError && error.status === 400 ? "none" : "failed");
    }
  };
  const loadOlder = () => {
    const last = loaded.at(-1) ?? live.at(-1);
    if (last === undefined) return;
    run.current?.abort();
    run.current = new AbortController();
    setOlder("loading");
    void load(run.current.signal, last.id);
  };
  return { loaded, older, loadOlder };
}
