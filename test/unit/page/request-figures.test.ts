/** What the page works out of the request log. */
import t from "tap";
import { type Branch, chainOf } from "../../../src/page/figures/chain.js";
import { listQuery, passes, readFilter, sortEntries } from "../../../src/page/figures/request-list.js";
import { waterfallOf } from "../../../src/page/figures/waterfall.js";
import { makeEntry } from "../../support/page-fixtures.js";

const link = (name: string, previous: string | null, started_at_ms = 0) =>
  makeEntry({ id: `req_${name}`, response_id: name, previous_response_id: previous, started_at_ms });

const nameAll = ({ entries, branches }: Branch): unknown => [
  entries.map(({ response_id }) => response_id).join(" "),
  ...branches.map(nameAll),
];

t.test("a conversation is a line that parts where several requests continued the same one", async (t) => {
  const entries = [
    link("e", "d", 5),
    link("d", "b", 4),
    link("c", "b", 3),
    link("b", "a", 2),
    link("a", null, 1),
    link("x", null),
  ];
  const chain = chainOf(link("d", "b", 4), entries);
  t.same(chain && nameAll(chain.trunk), ["a b", ["c"], ["d e"]]);
  t.match(chain, { count: 5, earlierResponseId: null, isCut: false });
  t.equal(chainOf(link("x", null), entries), null, "one alone is no conversation");
});

t.test("a conversation names the response that it began from where the log has it no more", async (t) => {
  t.match(chainOf(link("b", "gone"), []), { count: 1, earlierResponseId: "gone" });
});

t.test("a circle and a long conversation end", async (t) => {
  t.match(chainOf(link("a", "b"), [link("b", "a")]), { count: 2 });
  t.match(chainOf(link("self", "self"), []), { count: 1 });
  const long = Array.from({ length: 4_000 }, (_, index) =>
    link(`r${index}`, index === 0 ? null : `r${index - 1}`),
  );
  const last = long.at(-1);
  t.ok(last);
  if (last !== undefined) t.match(chainOf(last, long), { count: 200, isCut: true });
  const wide = Array.from({ length: 400 }, (_, index) => link(`w${index}`, "root"));
  t.match(chainOf(link("root", null), wide), { count: 200, isCut: true });
});

t.test("a waterfall's stages follow each other and add up to the whole", async (t) => {
  const { timings } = makeEntry();
  const { parts, totalMs, rulesMs } = waterfallOf(timings, null);
  t.equal(totalMs, timings.ended_ms);
  t.equal(parts[0]?.fromMs, 0);
  for (const [index, part] of parts.entries()) t.equal(part.toMs, parts[index + 1]?.fromMs ?? totalMs);
  t.same(rulesMs, [0, 500, 1_000, 1_500]);
});

t.test("a waterfall says in which stage a request broke off, and in which it is", async (t) => {
  const { timings } = makeEntry();
  const broken = { ...timings, first_output_ms: null, output_ended_ms: null };
  t.match(waterfallOf(broken, null).parts.at(-1), { stage: "model", isBroken: true, toMs: 1_604 });
  const refused = {
    ...broken,
    prepared_ms: null,
    admitted_ms: null,
    thread_ready_ms: null,
    turn_started_ms: null,
  };
  t.match(waterfallOf(refused, null).parts, [{ stage: "prepare", isBroken: true, fromMs: 0 }]);
  const running = { ...broken, ended_ms: null };
  t.match(waterfallOf(running, 700).parts.at(-1), { stage: "model", isOpen: true, fromMs: 9, toMs: 700 });
  t.match(waterfallOf({ ...refused, ended_ms: null }, 0), { totalMs: 1, rulesMs: { length: 6 } });
});

t.test("a filter lets through what it names", async (t) => {
  const filter = (query: string) => readFilter(new URLSearchParams(query));
  const failed = makeEntry({
    outcome: "failed",
    error: { code: "queue_full", param: null, retryable: true, message: null },
    caller: "editor",
  });
  t.ok(passes(failed, filter("")));
  t.ok(
    passes(failed, filter("outcome=failed&code=queue_full&caller=editor&route=/v1/responses&model=gpt-5.5")),
  );
  t.notOk(passes(failed, filter("caller=other")));
  t.ok(passes(failed, filter("id=RESP_1")));
  t.notOk(passes(failed, filter("id=resp_2")));
  t.ok(passes(makeEntry({ state: "running", outcome: null }), filter("outcome=running")));
  t.equal(
    listQuery(filter("outcome=running&code=queue_full"), "req_9", 50),
    "limit=50&after=req_9&code=queue_full",
  );
});

t.test("sorted requests without a figure come last", async (t) => {
  const entry = (id: string, ended_ms: number | null) =>
    makeEntry({ id, timings: { ...makeEntry().timings, ended_ms } });
  const all = [entry("b", 2), entry("none", null), entry("c", 3), entry("a", 1)];
  const ids = (isDescending: boolean) => sortEntries(all, { key: "total", isDescending }).map(({ id }) => id);
  t.same(ids(true), ["c", "b", "a", "none"]);
  t.same(ids(false), ["a", "b", "c", "none"]);
});
