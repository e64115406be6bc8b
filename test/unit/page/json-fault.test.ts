import t from "tap";
import { findJsonFault } from "../../../src/page/views/try/json-fault.js";
import { readJsonField } from "../../../src/page/views/try/try-form.js";

t.test("a fault in JSON is named with its line and column", async (t) => {
  const cases: readonly (readonly [string, string, number, number])[] = [
    ["{", "key", 1, 2],
    ['{"a" 1}', "colon", 1, 6],
    ['{"a": }', "value", 1, 7],
    ['{\n  "a": 1\n  "b": 2\n}', "comma_or_brace", 3, 3],
    ["[1 2]", "comma_or_bracket", 1, 4],
    ["[1,]", "value", 1, 4],
    ['{"a": "b', "unended_string", 1, 7],
    ['["\\x"]', "escape", 1, 3],
    ['["a\nb"]', "control", 1, 4],
    ["{} {}", "more", 1, 4],
    ["{'a': 1}", "key", 1, 2],
    ["[01]", "value", 1, 2],
    ["[nulls]", "value", 1, 2],
    ['["\u{1f600}" 1]', "comma_or_bracket", 1, 6],
    ["[".repeat(200), "deep", 1, 102],
  ];
  for (const [text, kind, line, column] of cases) {
    t.same(findJsonFault(text), { kind, line, column }, text.slice(0, 20));
  }
});

t.test("a text has a fault exactly where the browser's own reader refuses it", async (t) => {
  const pieces = [
    '{"a":1}',
    "[",
    "]",
    "{",
    "}",
    '"',
    "\\",
    ",",
    ":",
    "1",
    "-",
    ".",
    "e",
    "true",
    " ",
    "\n",
    "\\u00e9",
  ];
  let state = 11;
  const random = () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
  const differing: string[] = [];
  for (let run = 0; run < 5_000; run += 1) {
    const length = 1 + Math.floor(random() * 6);
    const text = Array.from({ length }, () => pieces[Math.floor(random() * pieces.length)]).join("");
    let isJson = true;
    try {
      JSON.parse(text);
    } catch {
      isJson = false;
    }
    if ((findJsonFault(text) === null) !== isJson) differing.push(text);
  }
  t.same(differing, []);
});

t.test("a field of another shape is named by its path", async (t) => {
  t.match(readJsonField("[]", "schema"), { fault: { kind: "shape", path: "", wants: "object" } });
  t.match(readJsonField("{}", "tools"), { fault: { path: "", wants: "list" } });
  t.match(readJsonField('[{"type": "function"}]', "tools"), { fault: { path: "[0].name", wants: "text" } });
  t.match(readJsonField('[{"type": "web_search"}, 1]', "tools"), { fault: { path: "[1]", wants: "object" } });
  t.match(readJsonField("[]", "questions"), { fault: { path: "", wants: "one" } });
  t.match(readJsonField(" ", "tools"), { value: undefined });
});
