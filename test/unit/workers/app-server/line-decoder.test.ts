import t from "tap";
import { LineDecoder } from "../../../../src/workers/app-server/stdio-transport.js";

function decode(chunks: readonly Buffer[], maxLineBytes = 1024): string[] {
  const decoder = new LineDecoder(maxLineBytes);
  const lines: string[] = [];
  for (const chunk of chunks) decoder.push(chunk, (line) => lines.push(line));
  return lines;
}

t.test("a character split at any byte arrives whole", async (t) => {
  const bytes = Buffer.from('{"a":"é€😀"}\n{"b":"日本"}\n');
  for (let at = 0; at <= bytes.length; at += 1) {
    const lines = decode([bytes.subarray(0, at), bytes.subarray(at)]);
    t.strictSame(lines, ['{"a":"é€😀"}', '{"b":"日本"}'], `split at ${at}`);
  }
});

t.test("lines fed byte by byte arrive whole", async (t) => {
  const bytes = Buffer.from("é\n😀\n");
  t.strictSame(decode([...bytes].map((byte) => Buffer.from([byte]))), ["é", "😀"]);
});

t.test("many lines in one chunk arrive in order, empty ones not at all", async (t) => {
  t.strictSame(decode([Buffer.from("a\n\nb\nc")]), ["a", "b"]);
});

t.test("a line as long as the bound passes, one byte more does not", async (t) => {
  t.strictSame(decode([Buffer.from("abcd\n")], 4), ["abcd"]);
  t.strictSame(decode([Buffer.from("ab"), Buffer.from("cd\n")], 4), ["abcd"]);
  t.throws(() => decode([Buffer.from("abcde\n")], 4), { code: "message_too_large" });
  t.throws(() => decode([Buffer.from("abc"), Buffer.from("de\n")], 4), { code: "message_too_large" });
});

t.test("an endless line is refused before its end, and nothing of it is kept", async (t) => {
  const decoder = new LineDecoder(8);
  decoder.push(Buffer.from("12345678"), () => t.fail("no line ended"));
  t.equal(decoder.bufferedBytes, 8);
  t.throws(() => decoder.push(Buffer.from("9"), () => {}), { code: "message_too_large" });
  t.equal(decoder.bufferedBytes, 0);
});
