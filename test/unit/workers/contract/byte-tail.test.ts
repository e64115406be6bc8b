import t from "tap";
import { TextTail } from "../../../../src/main/runtime/app-server/text-tail.js";

t.test("only the last bytes are kept, however much is written", async (t) => {
  const tail = new TextTail(10);
  for (let i = 0; i < 1_000; i += 1) tail.push(Buffer.from(`line ${i}\n`));
  t.equal(tail.read(), "\nline 999".trim());
});

t.test("colours are taken out", async (t) => {
  const tail = new TextTail(100);
  tail.push(Buffer.from("\u001b[31mred\u001b[0m text\n"));
  t.equal(tail.read(), "red text");
});

t.test("one chunk larger than the bound is cut", async (t) => {
  const tail = new TextTail(4);
  tail.push(Buffer.from("abcdefghijkl"));
  t.equal(tail.read(), "ijkl");
});
