import t from "tap";
import type { TurnEvent } from "../../../../src/main/runtime/types.js";
import { messageItem } from "../../../support/fake-runtime.js";
import { play, sumTextDeltas } from "../../../support/response-driver.js";

/** The same numbers every time, so that what fails once fails again. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const alphabet = ["a", "é", "漢", "🌍", "\n", '"', "\\", "\u2028", " "];

interface Script {
  readonly events: readonly TurnEvent[];
  readonly texts: ReadonlyMap<string, string>;
}

/** Messages that lose their announcement, some of their last deltas, or their completion's id order at random. */
function randomScript(random: (below: number) => number): Script {
  const events: TurnEvent[] = [];
  const texts = new Map<string, string>();
  const count = 1 + random(4);
  for (let message = 0; message < count; message += 1) {
    const itemId = `msg_${message}`;
    const deltas = Array.from({ length: random(12) }, () =>
      Array.from({ length: 1 + random(5) }, () => alphabet[random(alphabet.length)]).join(""),
    );
    const text = deltas.join("");
    texts.set(itemId, text);
    if (random(3) > 0) events.push({ type: "item.started", itemId, itemType: "message" });
    const shown = random(2) > 0 ? deltas : deltas.slice(0, random(deltas.length + 1));
    for (const delta of shown) events.push({ type: "text.delta", itemId, delta });
    if (random(3) === 0) events.push({ type: "model_call.completed", usage: null });
    events.push({ type: "item.completed", item: messageItem(itemId, text) });
  }
  return { events, texts };
}

t.test("the deltas of a message always sum to its text, whatever of them was lost", async (t) => {
  const random = randomFrom(20260731);
  for (let run = 0; run < 500; run += 1) {
    const { events: script, texts } = randomScript(random);
    const { events, response } = play(script);
    const sums = sumTextDeltas(events);
    for (const [id, text] of texts) {
      if ((sums.get(id) ?? "") !== text) t.fail("a sum differs", { run, id, text, sum: sums.get(id) });
    }
    const told = response.output.map((item) => item.id);
    if (told.join() !== [...texts.keys()].join()) t.fail("an item is missing", { run, told });
  }
});

t.test("whatever a turn tells, its response ends once and its numbers have no gaps", async (t) => {
  const random = randomFrom(7);
  const noise: readonly ((id: string) => TurnEvent)[] = [
    (itemId) => ({ type: "item.started", itemId, itemType: "message" }),
    (itemId) => ({ type: "item.started", itemId, itemType: "reasoning" }),
    (itemId) => ({ type: "item.started", itemId, itemType: "web_search_call" }),
    (itemId) => ({ type: "text.delta", itemId, delta: "x" }),
    (itemId) => ({ type: "reasoning_summary.delta", itemId, summaryIndex: random(3), delta: "y" }),
    (itemId) => ({ type: "reasoning_summary.part", itemId, summaryIndex: random(3) }),
    (itemId) => ({ type: "reasoning_text.delta", itemId, contentIndex: random(3), delta: "z" }),
    (itemId) => ({ type: "item.completed", item: messageItem(itemId, "xx") }),
    (itemId) => ({
      type: "item.completed",
      item: { type: "reasoning", id: itemId, summary: [{ text: "yy" }] },
    }),
    (itemId) => ({ type: "item.completed", item: { type: "web_search_call", id: itemId } }),
    (itemId) => ({ type: "item.completed", item: { id: itemId } }),
    (itemId) => ({ type: "item.discarded", itemId }),
    () => ({ type: "item.completed", item: { type: "message", content: "not even a list" } }),
  ];
  const terminal = /^response\.(completed|incomplete|failed)$/;
  for (let run = 0; run < 500; run += 1) {
    const script = Array.from({ length: random(40) }, () =>
      noise[random(noise.length)]?.(`item_${random(4)}`),
    );
    const { events } = play(
      script.filter((event) => event !== undefined),
      undefined,
      { stream: false },
    );
    const gaps = events.some((event, index) => event.sequence_number !== index);
    const ends = events.filter(({ type }) => terminal.test(type)).length;
    const added = events.filter(({ type }) => type === "response.output_item.added").length;
    const done = events.filter(({ type }) => type === "response.output_item.done").length;
    if (gaps || ends !== 1 || added !== done) t.fail("out of order", { run, gaps, ends, added, done });
  }
});
