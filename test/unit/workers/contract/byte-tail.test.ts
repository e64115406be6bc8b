import t from "tap";
import { ByteTail } from "../../../../src/workers/contract/byte-tail.js";

t.test("only the last bytes are kept, however much is written", async (t) => {
  const tail = new ByteTail(10);
  for (let i = 0; i < 1_000; i += 1) tail.push(Buffer.from(`line ${i}\n`));
  t.equal(tail.toString(), "\nline 999\n");
});

t.test("one chunk larger than the bound is cut", async (t) => {
  const tail = new ByteTail(4);
  tail.push(Buffer.from("abcdefghijkl"));
  t.equal(tail.toString(), "ijkl");
});
