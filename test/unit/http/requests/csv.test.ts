import t from "tap";
import { renderCsv } from "../../../../src/main/http/requests/csv.js";

t.test("rows end with CRLF, texts are quoted, and null is nothing", async (t) => {
  t.equal(
    renderCsv(
      ["a", "b", "c"],
      [
        ["one", 2, null],
        ['say "hi", twice', 0, "line\nbreak"],
      ],
    ),
    '"a","b","c"\r\n"one",2,\r\n"say ""hi"", twice",0,"line\nbreak"\r\n',
  );
});

t.test("no cell is a formula", async (t) => {
  const hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x")'];
  for (const text of hostile) t.match(renderCsv(["text"], [[text]]), /^"text"\r\n"'/, JSON.stringify(text));
  t.equal(
    renderCsv(["x"], [["a;=1+1"]]),
    '"x"\r\n"a;=1+1"\r\n',
    "nor is a part of one, by another separator",
  );
});
