/** Which requests a list shows, and in which order. */
import type { Entry } from "../wire.js";

/** As in the page's address; an empty text lets all pass. */
export const filterKeys = ["route", "model", "outcome", "code", "caller", "id"] as const;
export type FilterKey = (typeof filterKeys)[number];
export type RequestFilter = Readonly<Record<FilterKey, string>>;

/** What the service can say of a request that ended; the page adds those that go on. */
export const endedOutcomes = [
  "completed",
  "calls",
  "incomplete",
  "failed",
  "cancelled",
  "client_left",
] as const;
export const outcomes = ["waiting", "running", ...endedOutcomes] as const;
export type Outcome = (typeof outcomes)[number];

export function readFilter(query: URLSearchParams): RequestFilter {
  const read = (key: FilterKey) => query.get(key) ?? "";
  return {
    route: read("route"),
    model: read("model"),
    outcome: read("outcome"),
    code: read("code"),
    caller: read("caller"),
    id: read("id"),
  };
}

/** Without what lets all pass. */
export function writeFilter(filter: RequestFilter): Readonly<Record<string, string>> {
  return Object.fromEntries(filterKeys.map((key) => [key, filter[key]]).filter(([, value]) => value !== ""));
}

/** An outcome, or where the request stands while it has none. Null: a service that is newer has another. */
export function outcomeOf({ state, outcome }: Entry): Outcome | null {
  const named = state === "ended" ? outcome : state;
  return outcomes.find((known) => known === named) ?? null;
}

export function passes(entry: Entry, filter: RequestFilter): boolean {
  const is = (wanted: string, ...values: readonly (string | null)[]) =>
    wanted === "" || values.includes(wanted);
  return (
    is(filter.route, entry.route) &&
    is(filter.model, entry.model, entry.requested_model) &&
    is(filter.outcome, outcomeOf(entry)) &&
    is(filter.code, entry.error?.code ?? null) &&
    is(filter.caller, entry.caller) &&
    hasIdWith(entry, filter.id.trim().toLowerCase())
  );
}

function hasIdWith(entry: Entry, part: string): boolean {
  if (part === "") return true;
  const { id, response_id, previous_response_id, thread } = entry;
  return [id, response_id, previous_response_id, thread?.thread_id, thread?.turn_id].some(
    (text) => text?.toLowerCase().includes(part) === true,
  );
}

/** The parameters of `GET /v1/requests` that narrow it as far as the service can. */
export function listQuery(filter: RequestFilter, afterId: string, limit: number): string {
  const query = new URLSearchParams({ limit: String(limit), after: afterId });
  for (const key of ["route", "model", "code", "caller"] as const) {
    if (filter[key] !== "") query.set(key, filter[key]);
  }
  if (endedOutcomes.some((known) => known === filter.outcome)) query.set("outcome", filter.outcome);
  return query.toString();
}

export const sortKeys = ["time", "first", "total", "tokens"] as const;
export type SortKey = (typeof sortKeys)[number];

export interface Sort {
  readonly key: SortKey;
  readonly isDescending: boolean;
}

const measures: Readonly<Record<SortKey, (entry: Entry) => number | null>> = {
  time: ({ started_at_ms }) => started_at_ms,
  first: ({ timings }) => timings.first_output_ms,
  total: ({ timings }) => timings.ended_ms,
  tokens: ({ usage }) => usage?.total_tokens ?? null,
};

/** Those without a figure come last. Equal ones keep their order. */
export function sortEntries(entries: readonly Entry[], { key, isDescending }: Sort): readonly Entry[] {
  if (key === "time") return isDescending ? entries : [...entries].reverse();
  const measure = measures[key];
  return [...entries].sort((left, right) => {
    const one = measure(left);
    const other = measure(right);
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return isDescending ? other - one : one - other;
  });
}

/** The values that a filter offers, in their order; the chosen one stays among them. */
export function valuesOf(
  entries: readonly Entry[],
  read: (entry: Entry) => string | null,
  chosen: string,
): readonly string[] {
  const values = new Set(entries.map(read).filter((value) => value !== null && value !== ""));
  if (chosen !== "") values.add(chosen);
  return [...values].filter((value) => value !== null).sort();
}
