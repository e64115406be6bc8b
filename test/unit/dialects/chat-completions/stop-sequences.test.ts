import t from "tap";
import { StoppedText } from "../../../../src/main/dialects/chat-completions/stop-sequences.js";

/** What is shown of a text that comes in pieces, a piece at a time. */
function play(stops: readonly string[], pieces: readonly string[]) {
  const text = new StoppedText(stops);
  const steps = pieces.map((piece) => text.push(piece));
  const rest = text.finish();
  return { steps, shown: steps.join("") + rest, rest, isStopped: text.isStopped, told: text.shown };
}

/** The same by its definition: the sequence that is complete first ends the text, the longest of those that are complete at once. */
function cutPlainly(stops: readonly string[], whole: string): string {
  for (let end = 1; end <= whole.length; end += 1) {
    const found = stops.filter((stop) => whole.slice(0, end).endsWith(stop));
    if (found.length > 0) return whole.slice(0, end - Math.max(...found.map(({ length }) => length)));
  }
  return whole;
}

t.test("a text is cut before the sequence, wherever its pieces end", async (t) => {
  t.strictSame(play(["END"], ["a E", "N", "D b"]).steps, ["a ", "", ""]);
  t.match(play(["END"], ["a END"]), { shown: "a ", isStopped: true });
  t.match(play(["END"], ["END", "more"]), { shown: "", isStopped: true });
  t.match(play(["\n"], ["a", "\n", "b"]), { shown: "a", isStopped: true });
});

t.test("what only began like one is shown as soon as that is known, or at the end", async (t) => {
  t.strictSame(play(["END"], ["EN", "X", "EE", "N"]), {
    steps: ["", "ENX", "E", ""],
    shown: "ENXEEN",
    rest: "EN",
    isStopped: false,
    told: "ENXEEN",
  });
  t.equal(play(["aab"], ["aaab"]).shown, "a");
});

t.test("the sequence that is complete first wins", async (t) => {
  t.equal(play(["abc", "b"], ["xabc"]).shown, "xa");
  t.equal(play(["bc", "abc"], ["xabc"]).shown, "x");
});

t.test("it is the same as by definition, for all short texts in all pieces", async (t) => {
  const letters = ["a", "b"];
  const words = (length: number): readonly string[] =>
    length === 0 ? [""] : words(length - 1).flatMap((word) => letters.map((letter) => word + letter));
  const sets = [["ab"], ["aa"], ["aab"], ["abab"], ["ba", "aab"], ["bb", "aba", "aaaa"]];
  let checked = 0;
  for (const stops of sets) {
    for (const whole of words(8)) {
      const expected = cutPlainly(stops, whole);
      for (const size of [1, 2, 3, 8]) {
        const pieces = whole.match(new RegExp(`.{1,${size}}`, "g")) ?? [];
        const { shown, told } = play(stops, pieces);
        if (shown !== expected || told !== expected) t.fail(`${stops} in ${whole} by ${size}: ${shown}`);
        checked += 1;
      }
    }
  }
  t.equal(checked, sets.length * 256 * 4);
});

t.test("a text that is nearly all beginnings is read once", async (t) => {
  const stop = `${"a".repeat(1023)}b`;
  const { shown, isStopped } = play([stop], Array<string>(200_000).fill("a"));
  t.equal(shown.length, 200_000);
  t.equal(isStopped, false);
});
