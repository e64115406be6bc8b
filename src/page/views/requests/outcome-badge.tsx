import { type Outcome, outcomeOf } from "../../figures/request-list.js";
import { requestTexts } from "../../texts/requests.js";
import { useTexts } from "../../texts/use-texts.js";
import type { Entry } from "../../wire.js";

const tones: Readonly<Record<Outcome, "good" | "live" | "warn" | "bad" | "plain">> = {
  waiting: "warn",
  running: "live",
  completed: "good",
  calls: "live",
  incomplete: "warn",
  failed: "bad",
  cancelled: "plain",
  client_left: "plain",
};

/** How a request stands, said by a word, with a colour beside it. */
export function OutcomeBadge({ entry }: { readonly entry: Entry }) {
  const texts = useTexts(requestTexts);
  const outcome = outcomeOf(entry);
  // A service that is newer than the page has one that the page has no word for.
  if (outcome === null) return <span class="badge badge-plain foreign">{entry.outcome ?? "–"}</span>;
  return (
    <span class={`badge badge-${tones[outcome]}`}>
      <span class="badge-dot" />
      {texts[`outcome_${outcome}`]}
    </span>
  );
}
