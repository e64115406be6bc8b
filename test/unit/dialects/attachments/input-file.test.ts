import t from "tap";
import { requestLimits } from "../../../../src/main/dialects/requests/fields.js";
import { dataUrl, turnOf } from "../request-fixtures.js";

const withFile = (file: object) =>
  turnOf({ input: [{ role: "user", content: [{ type: "input_file", ...file }] }] });

function textOf(file: object): unknown {
  const content = withFile(file).request.items[0]?.content;
  return Array.isArray(content) ? content[0] : undefined;
}

t.test("a file of text becomes a part of text, with its name", async (t) => {
  t.strictSame(textOf({ filename: "notes.md", file_data: dataUrl("text/markdown", "# Grüße 🌍") }), {
    type: "input_text",
    text: '<file name="notes.md">\n# Grüße 🌍\n</file>',
  });
});

t.test("so do the other types that are text, and other ways to write them", async (t) => {
  const urls = [
    dataUrl("text/plain", "a,b"),
    dataUrl("text/csv;charset=utf-8", "a,b"),
    dataUrl("TEXT/X-ANYTHING", "a,b"),
    dataUrl("application/json", "a,b"),
    dataUrl("application/yaml", "a,b"),
    dataUrl("image/svg+xml", "a,b"),
    "data:text/plain,a%2Cb",
    "data:text/plain;charset=US-ASCII,a,b",
  ];
  for (const file_data of urls) {
    t.match(textOf({ filename: "f", file_data }), { text: '<file name="f">\na,b\n</file>' }, file_data);
  }
});

t.test("a name cannot leave its place", async (t) => {
  t.match(textOf({ filename: 'a"><b>\n&', file_data: dataUrl("text/plain", "x") }), {
    text: '<file name="a&#34;&#62;&#60;b&#62;&#10;&#38;">\nx\n</file>',
  });
  t.match(textOf({ file_data: dataUrl("text/plain", "x") }), { text: '<file name="file">\nx\n</file>' });
});

t.test("outputs of functions may have files too", async (t) => {
  const input = [
    { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
    {
      type: "function_call_output",
      call_id: "c",
      output: [{ type: "input_file", filename: "f", file_data: dataUrl("text/plain", "x") }],
    },
  ];
  t.match(turnOf({ input }).request.items[1], {
    output: [{ type: "input_text", text: '<file name="f">\nx\n</file>' }],
  });
});

t.test("other files are refused by name, with their path", async (t) => {
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [{ file_id: "file_1" }, "file_id", /stores no files/],
    [{ file_url: "https://x.example/a.pdf" }, "file_url", /fetches no files/],
    [{ file_data: dataUrl("application/pdf", "%PDF") }, "file_data", /application\/pdf/],
    [{ file_data: dataUrl("application/octet-stream", "x") }, "file_data", /octet-stream/],
    [{ file_data: dataUrl("", "x") }, "file_data", /text type/],
    [{ file_data: dataUrl("text/plain;charset=latin1", "x") }, "file_data", /latin1/],
  ];
  for (const [file, field, message] of cases) {
    const param = `input[0].content[0].${field}`;
    t.throws(() => withFile(file), { code: "unsupported_responses_feature", param, message });
  }
});

t.test("files that are broken are refused with their path", async (t) => {
  const cases: readonly (readonly [object, string])[] = [
    [{}, "file_data"],
    [{ file_data: "just text" }, "file_data"],
    [{ file_data: "data:text/plain;base64,***" }, "file_data"],
    [{ file_data: "data:text/plain;base64,YQ" }, "file_data"],
    [{ file_data: dataUrl("text/plain", Buffer.from([0xff, 0xfe])) }, "file_data"],
    [{ file_data: "data:text/plain,%zz" }, "file_data"],
    [{ file_data: dataUrl("text/plain", "x".repeat(requestLimits.maxTextChars + 1)) }, "file_data"],
    [{ file_data: dataUrl("text/plain", "x"), filename: "n".repeat(256) }, "filename"],
  ];
  for (const [file, field] of cases) {
    t.throws(() => withFile(file), { code: "invalid_request", param: `input[0].content[0].${field}` });
  }
});
