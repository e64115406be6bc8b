import t from "tap";
import { FinalAnswer } from "../../../src/main/exchange/final-answer.js";
import type { TurnEvent } from "../../../src/main/runtime/types.js";

const started = (itemId: string, phase?: string): TurnEvent => ({
  type: "item.started",
  itemId,
  itemType: "message",
  ...(phase !== undefined && { phase }),
});
const delta = (itemId: string, text: string): TurnEvent => ({ type: "text.delta", itemId, delta: text });
const message = (id: string, text: string, phase?: string): TurnEvent => ({
  type: "item.completed",
  item: { type: "message", id, role: "assistant", content: [{ type: "output_text", text }], phase },
});
const call = (id: string): TurnEvent => ({ type: "item.completed", item: { type: "function_call", id } });
const search: TurnEvent = { type: "item.started", itemId: "ws_1", itemType: "web_search_call" };
const discarded = (itemId: string): TurnEvent => ({ type: "item.discarded", itemId });

/** What passes at once, and what passes at the end. */
function pass(events: readonly TurnEvent[]): { now: readonly TurnEvent[]; atEnd: readonly TurnEvent[] } {
  const answer = new FinalAnswer();
  const now = events.flatMap((event) => answer.push(event));
  return { now, atEnd: answer.end() };
}

t.test("a message that the model marks as its final answer passes as it comes", async (t) => {
  const final = [started("m2", "final_answer"), delta("m2", "yes"), message("m2", "yes", "final_answer")];
  const commentary = [started("m1", "commentary"), delta("m1", "hm"), message("m1", "hm", "commentary")];
  t.strictSame(pass([...commentary, ...final]), { now: final, atEnd: [] });
});

t.test("without marks the last message passes at the end", async (t) => {
  const last = message("m2", "yes");
  const events = [
    started("m1"),
    delta("m1", "hm"),
    message("m1", "hm"),
    started("m2"),
    delta("m2", "yes"),
    last,
  ];
  t.strictSame(pass(events), { now: [], atEnd: [last] });
});

t.test("a mark that comes with the complete message counts too", async (t) => {
  const final = message("m2", "yes", "final_answer");
  const events = [message("m1", "hm"), started("m2"), delta("m2", "yes"), final];
  t.strictSame(pass(events), { now: [final], atEnd: [] });
  t.strictSame(pass([started("m1"), delta("m1", "hm"), message("m1", "hm", "commentary")]).atEnd, []);
});

t.test("reasoning and items of other kinds never pass, and what concerns the turn always does", async (t) => {
  const ofTurn: TurnEvent = { type: "model_call.completed", usage: null };
  const { now, atEnd } = pass([
    { type: "item.started", itemId: "r1", itemType: "reasoning" },
    { type: "reasoning_summary.part", itemId: "r1", summaryIndex: 0 },
    { type: "reasoning_summary.delta", itemId: "r1", summaryIndex: 0, delta: "so" },
    { type: "reasoning_text.delta", itemId: "r1", contentIndex: 0, delta: "so" },
    { type: "item.completed", item: { type: "reasoning", id: "r1" } },
    { type: "item.completed", item: { type: "compaction", id: "c1" } },
    { type: "item.completed", item: { id: "x" } },
    ofTurn,
  ]);
  t.strictSame([now, atEnd], [[ofTurn], []]);
});

t.test("calls keep their place between messages", async (t) => {
  const first = call("fc_1");
  const second = call("fc_2");
  const last = message("m2", "yes");
  const { now, atEnd } = pass([first, message("m1", "hm"), search, second, last, call("fc_3")]);
  t.strictSame(now, [first]);
  t.strictSame(atEnd, [search, second, last, call("fc_3")]);
  const final = message("m3", "done", "final_answer");
  t.strictSame(pass([message("m1", "hm"), second, final]), { now: [second, final], atEnd: [] });
});

t.test("a message before calls that end the answer is its last", async (t) => {
  const said = message("m1", "Let me look.");
  t.strictSame(pass([said, call("fc_1")]).atEnd, [said, call("fc_1")]);
});

t.test("a message that was cut short is given as far as it came", async (t) => {
  t.strictSame(pass([started("m1"), delta("m1", "ye"), delta("m1", "s")]).atEnd, [
    started("m1"),
    delta("m1", "yes"),
  ]);
});

t.test("what the model takes back does not become its answer", async (t) => {
  const first = message("m1", "one");
  t.strictSame(pass([first, started("m2"), delta("m2", "tw"), discarded("m2")]).atEnd, [
    first,
    discarded("m2"),
  ]);
  const shown = [started("m1", "final_answer"), delta("m1", "x"), discarded("m1")];
  t.strictSame(pass(shown), { now: shown, atEnd: [] });
});

t.test("texts of messages that come in turns stay apart, and an id may come again", async (t) => {
  const mixed = [
    started("m1"),
    started("m2"),
    delta("m1", "a"),
    delta("m2", "b"),
    delta("m1", "c"),
    delta("m2", "d"),
  ];
  t.strictSame(pass(mixed).atEnd, [started("m2"), delta("m2", "bd")]);
  t.strictSame(pass([message("m1", "one"), delta("m1", "tw"), delta("m1", "o")]).atEnd, [
    started("m1"),
    delta("m1", "two"),
  ]);
  t.strictSame(pass([message("m1", "one"), started("m1"), call("fc_1"), discarded("m1")]).atEnd, [
    call("fc_1"),
    discarded("m1"),
  ]);
});
