/** One request: how it ended and why, where its time went, and the conversation that it belongs to. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../../data/api.js";
import { useApi } from "../../data/page-context.js";
import type { RequestFilter } from "../../figures/request-list.js";
import { detailTexts, requestTexts } from "../../texts/requests.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import { Copyable, Empty } from "../../ui/parts.js";
import { type Entry, entrySchema } from "../../wire.js";
import { ChainTree } from "./chain-tree.js";
import { Content } from "./content.js";
import { Facts } from "./facts.js";
import { Failure } from "./failure.js";
import { OutcomeBadge } from "./outcome-badge.js";
import { TokenFigures } from "./token-figures.js";
import { WaterfallFigure } from "./waterfall-figure.js";

interface RequestDetailProps {
  readonly id: string;
  readonly known: readonly Entry[];
  readonly filter: RequestFilter;
  readonly onClose: () => void;
}

export function RequestDetail({ id, known, filter, onClose }: RequestDetailProps) {
  const texts = useTexts(detailTexts);
  const heading = useRef<HTMLHeadingElement>(null);
  const { entry, isMissing } = useEntry(id, known);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <section class="detail panel" aria-labelledby="detail-heading">
      <div class="detail-head">
        <h2 id="detail-heading" ref={heading} tabIndex={-1}>
          {texts.title}
        </h2>
        <button type="button" class="secondary" onClick={onClose}>
          <span class="detail-close">{texts.close}</span>
          <span class="detail-back">{texts.back}</span>
        </button>
      </div>
      {entry === null ? (
        <>
          <Copyable text={id} />
          <Empty>{isMissing ? texts.notFound : texts.loading}</Empty>
        </>
      ) : (
        <Whole entry={entry} known={known} filter={filter} />
      )}
    </section>
  );
}

function Whole({
  entry,
  known,
  filter,
}: {
  readonly entry: Entry;
  readonly known: readonly Entry[];
  readonly filter: RequestFilter;
}) {
  const formats = useFormats();
  return (
    <>
      <div class="detail-title">
        <OutcomeBadge entry={entry} />
        <span>{formats.dateTime(entry.started_at_ms)}</span>
        <Copyable text={entry.id} />
      </div>
      <Ending entry={entry} />
      <WaterfallFigure entry={entry} />
      {entry.usage !== null && <TokenFigures usage={entry.usage} />}
      <ChainTree entry={entry} known={known} filter={filter} />
      {entry.content !== null && <Content content={entry.content} />}
      <Facts entry={entry} />
    </>
  );
}

function Ending({ entry }: { readonly entry: Entry }) {
  const texts = useTexts(requestTexts);
  if (entry.error !== null) return <Failure error={entry.error} />;
  switch (entry.outcome) {
    case "incomplete":
    case "calls":
    case "cancelled":
    case "client_left":
      return <p class="detail-why">{texts[`why_${entry.outcome}`]}</p>;
    default:
      return null;
  }
}

/** As the feed has it; one that it does not hold is asked for. */
function useEntry(id: string, known: readonly Entry[]) {
  const api = useApi();
  const [asked, setAsked] = useState<Entry | null>(null);
  const [isMissing, setMissing] = useState(false);
  const held = known.find((entry) => entry.id === id) ?? null;
  // One that leaves the page's memory while it is looked at stays.
  const last = useRef<Entry | null>(null);
  if (held !== null) last.current = held;
  const isHeld = held !== null || last.current !== null;
  useEffect(() => {
    if (isHeld) return;
    const run = new AbortController();
    api.read(`/v1/requests/${encodeURIComponent(id)}`, entrySchema, { signal: run.signal }).then(
      (entry) => {
        if (!run.signal.aborted) setAsked(entry);
      },
      (error: unknown) => {
        if (!run.signal.aborted && error instanceof ApiError) setMissing(true);
      },
    );
    return () => run.abort();
  }, [id, isHeld, api]);
  const entry = held ?? last.current ?? asked;
  return { entry, isMissing: isMissing && entry === null };
}
