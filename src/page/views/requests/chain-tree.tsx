/** The conversation that a request belongs to: each continues the one above it, and branches where several continued the same. */
import { useMemo } from "preact/hooks";
import { routeTo } from "../../data/route.js";
import { type Branch, chainOf } from "../../figures/chain.js";
import { type RequestFilter, writeFilter } from "../../figures/request-list.js";
import { detailTexts } from "../../texts/requests.js";
import { useFormats, useTexts } from "../../texts/use-texts.js";
import type { Entry } from "../../wire.js";
import { OutcomeBadge } from "./outcome-badge.js";

interface ChainTreeProps {
  readonly entry: Entry;
  readonly known: readonly Entry[];
  readonly filter: RequestFilter;
}

export function ChainTree({ entry, known, filter }: ChainTreeProps) {
  const texts = useTexts(detailTexts);
  const formats = useFormats();
  const chain = useMemo(() => chainOf(entry, known), [entry, known]);
  if (chain === null) return null;
  const query = writeFilter(filter);
  return (
    <section class="detail-part" aria-labelledby="chain-heading">
      <h3 id="chain-heading">{texts.chain}</h3>
      <p class="small muted">{texts.chainNote(formats.count(chain.count))}</p>
      {chain.earlierResponseId !== null && (
        <p class="small muted foreign">{texts.earlier(chain.earlierResponseId)}</p>
      )}
      <BranchList branch={chain.trunk} currentId={entry.id} query={query} />
      {chain.isCut && <p class="small muted">{texts.chainCut}</p>}
    </section>
  );
}

interface BranchListProps {
  readonly branch: Branch;
  readonly currentId: string;
  readonly query: Readonly<Record<string, string>>;
}

function BranchList({ branch: { entries, branches }, currentId, query }: BranchListProps) {
  const texts = useTexts(detailTexts);
  const formats = useFormats();
  return (
    <ol class="chain">
      {entries.map((entry) => (
        <li key={entry.id}>
          <a
            class="chain-link"
            href={routeTo("requests", query, entry.id)}
            aria-current={entry.id === currentId ? "true" : undefined}
          >
            <span>{formats.clock(entry.started_at_ms)}</span>
            <code class="foreign">{entry.response_id ?? entry.id}</code>
          </a>
          <OutcomeBadge entry={entry} />
          {entry.id === currentId && <span class="small muted">{texts.thisOne}</span>}
        </li>
      ))}
      {branches.map((branch, index) => (
        <li key={branch.entries[0]?.id} class="chain-branch">
          <span class="small muted">{texts.branch(formats.count(index + 1))}</span>
          <BranchList branch={branch} currentId={currentId} query={query} />
        </li>
      ))}
    </ol>
  );
}
