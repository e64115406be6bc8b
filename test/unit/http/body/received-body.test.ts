import t from "tap";
import { defaults } from "../../../../src/main/config/defaults.js";
import { maxTextChars } from "../../../../src/workers/contract/json.js";
import { receive } from "../../../support/received-body.js";

t.test("a body is what JSON.parse makes of it, however it is cut", async (t) => {
  const texts = [
    '{"input":[{"role":"user","content":"a"},[1,-2.5e3,true,null],"x"],"model":"m"}',
    ' { "model" : "m" , "input" : [ ] , "x" : { "input" : [ 1 , 2 ] } } ',
    '{"in\\u0070ut":[1,2],"messages":[{"a":"\\"]}"}]}',
    '{"input":[1,2],"input":[3]}',
    '{"input":[1,2],"input":"last"}',
    '[{"input":[1]}]',
    '"text"',
    "12",
    '{"k":"ä漢🎉\\ud83c\\udf89\\n"}',
  ];
  for (const text of texts) {
    for (const size of [1, 2, 3, 7, 1000]) t.strictSame(await receive(text, size), JSON.parse(text), text);
  }
});

t.test("a long list comes whole, in order, in several batches", async (t) => {
  const items = Array.from({ length: 20_000 }, (_, index) => ({ index, text: "ä".repeat(index % 30) }));
  t.strictSame(await receive(JSON.stringify({ messages: items, model: "m" }), 65_536), {
    messages: items,
    model: "m",
  });
});

t.test("what is no JSON is refused as such, wherever the fault is", async (t) => {
  const texts = [
    "",
    "{",
    "{}}",
    '{"input":[1,2}',
    '{"input":[1,]}',
    '{"input":[,1]}',
    '{"input":[1 2]}',
    '{"input":[1],"input":[2,,3],"input":[4]}',
    '{"input":[1}',
    '{"input":[1]',
    '{"input":["\\x"]}',
    '{"input":["\\u12"]}',
    '{"input":[01]}',
    '{"input":[nul]}',
    '{"input":["a\nb"]}',
    '{"a" "b":[1]}',
    '{"input":[1]} x',
    "]",
  ];
  for (const text of texts) await t.rejects(receive(text, 5), { code: "invalid_json" }, text);
});

t.test(
  "half surrogate pairs in texts become U+FFFD, wherever the body is cut, and whole ones stay",
  async (t) => {
    const halves: readonly (readonly [string, string])[] = [
      ["\\ud83d", "\ufffd"],
      ["\\uDE00", "\ufffd"],
      ["\\ud83d\\ud83d\\ude00", "\ufffd\u{1f600}"],
      ["\\ude00\\ud83d", "\ufffd\ufffd"],
      ["\\ud83dx\\ude00", "\ufffdx\ufffd"],
      ["\\ud83d\\n\\ude00", "\ufffd\n\ufffd"],
      ["\\ud83d\\u0041", "\ufffdA"],
      ["\\\\ud83d", "\\ud83d"],
      ["\\\\\\ud83d", "\\\ufffd"],
      ["\\ud83d\\ude00", "\u{1f600}"],
    ];
    for (const [written, read] of halves) {
      const text = `{"model":"${written}","input":["${written}",{"a":{"b":["x${written}"]}}]}`;
      const expected = { model: read, input: [read, { a: { b: [`x${read}`] } }] };
      for (const size of [1, 4, 5, 1000]) t.strictSame(await receive(text, size), expected, written);
    }
  },
);

t.test(
  "keys with half surrogate pairs are mended, those that would be the same are refused by path",
  async (t) => {
    t.strictSame(await receive('{"a\\ud83d":{"\\ude00":1},"input":[1,{"x":{"\\ud83d":2}}]}', 3), {
      "a\ufffd": { "\ufffd": 1 },
      input: [1, { x: { "\ufffd": 2 } }],
    });
    const cases: readonly (readonly [string, string])[] = [
      ['{"input":[1,{"x":{"\\ud83d":1,"\\ud83e":2}}]}', "input[1].x.\ufffd"],
      ['{"text":{"\\ud83d":1,"\ufffd":2}}', "text.\ufffd"],
    ];
    for (const [text, param] of cases)
      await t.rejects(receive(text, 3), { code: "invalid_request", param }, text);
    t.strictSame(await receive('{"a":1,"a":2}', 3), { a: 2 }, "names that were the same before are as ever");
  },
);

/** A body in which `~1` is the byte FF, `~2` the byte FE, and so on down: bytes that no UTF-8 has. */
function withRawBytes(text: string): Buffer {
  const latin = text.replace(/~(\d)/g, (_, digit: string) => String.fromCharCode(0x100 - Number(digit)));
  return Buffer.from(latin, "latin1");
}

t.test("keys that are no UTF-8 and would read the same are refused by path", async (t) => {
  const same = "\xef\xbf\xbd";
  const cases: readonly (readonly [string, string])[] = [
    ['{"tools":[{"parameters":{"properties":{"p~1":1,"p~2":2}}}]}', "tools[0].parameters.properties.p\ufffd"],
    ['{"input":[1,{"x":{"~1":1,"y":{"~1":1},"~2":2}}]}', "input[1].x.\ufffd"],
    ['{"messages":[{"a":{"~1":1}},{"a":{"b":1,"~1~1":1,"~2~2":2}}]}', "messages[1].a.\ufffd\ufffd"],
    [`{"text":{"~1":1,"${same}":2}}`, "text.\ufffd"],
    ['{"text":{"\\ud83d":1,"~1":2}}', "text.\ufffd"],
    ['{"text":{"~1":1,"\\ufffd":2}}', "text.\ufffd"],
    // Emojis that were cut in half as bytes.
    ['{"text":{"\xf0\x9f\x98":1,"\xf0\x9f\x99":2}}', "text.\ufffd"],
    ['{"text":{"\\u0061~1":1,"a~2":2}}', "text.a\ufffd"],
    ['{"~1":1,"~2":2}', "\ufffd"],
  ];
  for (const [text, param] of cases) {
    for (const size of [1, 3, 1000]) {
      const failure = { code: "invalid_request", param, message: /replaced by U\+FFFD/ };
      await t.rejects(receive(withRawBytes(text), size), failure, text);
    }
  }
});

t.test("keys that are no UTF-8 and read apart are taken, as is one that comes twice", async (t) => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['{"a":{"~1":1,"~2~2":2},"b":{"~2":3}}', { a: { "\ufffd": 1, "\ufffd\ufffd": 2 }, b: { "\ufffd": 3 } }],
    ['{"input":[{"~1":1},{"~2":2}]}', { input: [{ "\ufffd": 1 }, { "\ufffd": 2 }] }],
    ['{"a":{"~1":1,"~1":2}}', { a: { "\ufffd": 2 } }],
    ['{"a":{"\\ufffd":1,"\xef\xbf\xbd":2}}', { a: { "\ufffd": 2 } }],
    ['{"a":{"\\ud83d":1,"\\uD83D":2}}', { a: { "\ufffd": 2 } }],
    ['{"a":["~1","~2"],"b":"~1"}', { a: ["\ufffd", "\ufffd"], b: "\ufffd" }],
    ['{"\xc3\xa4":1,"\xc3\xb6":2}', { ä: 1, ö: 2 }],
  ];
  for (const [text, value] of cases) {
    for (const size of [1, 3, 1000]) t.strictSame(await receive(withRawBytes(text), size), value, text);
  }
});

/** Length of the longest text in a value. */
function longestIn(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Math.max(0, ...Object.values(value).map(longestIn));
}

t.test("a text of any item is bounded in characters, by its path, as its bytes arrive", async (t) => {
  const at = (value: string) => `{"input":[0,{"extra":{"deep":["x",${value}]}}]}`;
  const pieces: readonly (readonly [piece: string, chars: number])[] = [
    ["a", 1],
    ["\\n", 1],
    ["\u4e2d", 1],
    ["\u{1f389}", 2],
    ["\\ud83d\\ude00", 2],
  ];
  for (const [piece, chars] of pieces) {
    const longest = piece.repeat(maxTextChars / chars);
    // Compared as numbers: a report on texts of this length takes minutes.
    t.equal(longestIn(await receive(at(`"${longest}"`), 65_536)), maxTextChars, piece);
    await t.rejects(receive(at(`"${longest}a"`), 65_536), {
      code: "invalid_request",
      param: "input[1].extra.deep[1]",
      message: /longer than 10485760 characters/,
    });
  }
});

t.test("texts and names are bounded wherever they stand, images and files by the body alone", async (t) => {
  const long = `"${"a".repeat(maxTextChars + 1)}"`;
  const refused: readonly (readonly [string, string | null])[] = [
    [`{"input":${long}}`, "input"],
    [`{"messages":[{"content":${long}}]}`, "messages[0].content"],
    [`{"input":[{"extra":{${long}:1}}]}`, "input[0].extra"],
    [`{${long}:1}`, null],
    [`{"input":[{"url":[${long}]}]}`, "input[0].url[0]"],
    [`{"input":["x",${long}]}`, "input[1]"],
  ];
  for (const [text, param] of refused) {
    await t.rejects(receive(text, 65_536), { code: "invalid_request", param }, text.slice(0, 40));
  }
  for (const key of ["image_url", "url", "file_data", "result"]) {
    t.equal(longestIn(await receive(`{"input":[{"${key}":${long}}]}`, 65_536)), maxTextChars + 1, key);
  }
});

t.test("values beyond the bounds are refused by the setting's name and the place", async (t) => {
  const bounds = { maxBodyValues: 12, maxItemValues: 6 };
  const taken = [
    '{"input":[0,0,0,0,0,0,0,0,0,0]}',
    '{"input":[[0,0,0,0,0],[0,0,0]]}',
    '{"a":[0,0,0],"b":"x"}',
  ];
  for (const text of taken) t.strictSame(await receive(text, 3, bounds), JSON.parse(text), text);
  const refused: readonly (readonly [string, RegExp, string | null])[] = [
    ['{"input":[0,0,0,0,0,0,0,0,0,0,0]}', /more than 12 .*http\.maxBodyValues/, "input"],
    ['{"input":[0,[{},{},{},{},{},{}]]}', /more than 6 .*http\.maxItemValues/, "input[1]"],
    ['{"a":["","","","",""]}', /more than 6 .*http\.maxItemValues/, "a"],
    ['{"a":{"b":{},"c":[],"d":null,"e":true,"f":1}}', /http\.maxItemValues/, "a"],
    ["[[0],[0],[0],[0]]", /http\.maxItemValues/, "[2]"],
  ];
  for (const [text, message, param] of refused) {
    await t.rejects(receive(text, 3, bounds), { code: "invalid_request", message, param }, text);
  }
});

t.test("a body nested deeper than Codex reads is refused by its path", async (t) => {
  const nest = (levels: number) => `${'{"a":'.repeat(levels)}0${"}".repeat(levels)}`;
  t.ok(await receive(`{"x":${nest(127)}}`, 100));
  t.ok(await receive(`{"messages":[${nest(126)}]}`, 100));
  t.ok(await receive(`{"input":[0,${nest(124)}]}`, 100));
  const refused: readonly (readonly [string, RegExp])[] = [
    [`{"x":${nest(128)}}`, /^x(\.a){127}$/],
    [`{"input":[0,${nest(125)}]}`, /^input\[1\](\.a){124}$/],
    [`{"x":${"[".repeat(1_000_000)}`, /^x(\[0\]){127}$/],
  ];
  for (const [text, param] of refused) {
    await t.rejects(receive(text, 1000), {
      code: "invalid_request",
      param,
      message: /nested deeper than 12[68] levels/,
    });
  }
  const long = `{"${"k".repeat(100_000)}":${nest(128)}}`;
  await t.rejects(
    receive(long, 1000),
    { message: /128 levels/, param: /^k{64}(\.a){127}$/ },
    "long keys are cut",
  );
});

t.test("a body in chunks of one byte takes no more than its length", async (t) => {
  const text = JSON.stringify({ input: ["x".repeat(300_000)] });
  const before = process.memoryUsage();
  t.ok(await receive(text, 1, defaults.http));
  const grown = process.memoryUsage().arrayBuffers - before.arrayBuffers;
  t.ok(grown < 8 * text.length, `${grown} bytes for ${text.length}`);
});

t.test("long lists can be read in another order than they came in", async (t) => {
  const longList = (word: string) =>
    Array.from({ length: 40 }, (_, index) => `${word} ${index} ${"x".repeat(20_000)}`);
  const body = { input: longList("input"), messages: longList("message"), questions: longList("question") };
  t.same(await receive(JSON.stringify(body), 64 * 1024), body);
});
