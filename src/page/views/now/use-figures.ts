/** Figures of the requests that ended lately, worked out at most once a second, and only when there is something new. */
import { useEffect, useState } from "preact/hooks";
import { useParts } from "../../data/page-context.js";
import type { PageState } from "../../data/store.js";
import { callLater } from "../../data/timers.js";
import { type Span, spanUntil } from "../../figures/series.js";
import { endedAt, endedSince, type Summary, summarize } from "../../figures/summary.js";
import type { Entry } from "../../wire.js";

export const spans = { "15m": 15 * 60_000, "1h": 3_600_000, "6h": 6 * 3_600_000 } as const;
export type SpanName = keyof typeof spans;
export const spanNames: readonly SpanName[] = ["15m", "1h", "6h"];

export interface Figures {
  readonly span: Span;
  readonly entries: readonly Entry[];
  readonly summary: Summary;
}

interface Worked {
  readonly figures: Figures;
  /** The same for the same figures. */
  readonly mark: string;
}

const minMsBetween = 1_000;
/** So that what is old leaves the plots where nothing new comes. */
const moveOnMs = 10_000;

export function useFigures(name: SpanName): Figures {
  const { store } = useParts();
  const [{ figures }, setWorked] = useState(() => work(store.get(), name));
  useEffect(() => {
    let cancel: (() => void) | null = null;
    let lastMs = performance.now();
    const again = () => {
      cancel = null;
      lastMs = performance.now();
      if (document.hidden) return;
      setWorked((before) => work(store.get(), name, before));
    };
    const note = () => {
      cancel ??= callLater(Math.max(0, lastMs + minMsBetween - performance.now()), again);
    };
    again();
    const unsubscribe = store.subscribe(note);
    const timer = setInterval(note, moveOnMs);
    return () => {
      unsubscribe();
      clearInterval(timer);
      cancel?.();
    };
  }, [store, name]);
  return figures;
}

/** @param before given back if nothing has come since */
function work({ entries: all, clockOffsetMs }: PageState, name: SpanName, before?: Worked): Worked {
  const nowMs = Date.now() + clockOffsetMs;
  const span = spanUntil(nowMs, spans[name]);
  const entries = endedSince(all, span.fromMs);
  const lastMs = Math.max(0, ...entries.map((entry) => endedAt(entry) ?? 0));
  const mark = [name, span.fromMs, entries.length, lastMs].join();
  if (mark === before?.mark) return before;
  return { figures: { span, entries, summary: summarize(entries, coveredMs(all, span, nowMs)) }, mark };
}

/** The part of the span that the page knows of: it keeps so many requests, and the service may have just begun. */
function coveredMs(all: readonly Entry[], { fromMs }: Span, nowMs: number): number {
  const oldestMs = all.at(-1)?.started_at_ms ?? nowMs;
  return Math.max(60_000, nowMs - Math.max(fromMs, oldestMs));
}
