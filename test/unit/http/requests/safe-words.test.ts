import t from "tap";
import { toId, toParam, toParameterNames, toWord } from "../../../../src/main/http/requests/safe-words.js";

t.test("the path of a field is cut at the first name that a caller may have chosen", async (t) => {
  for (const [path, shown] of [
    ["input[2].content[0].type", "input[2].content[0].type"],
    ["model", "model"],
    ["x-request-timeout-ms", "x-request-timeout-ms"],
    ["metadata.codexbridge.include[1]", "metadata.codexbridge.include[1]"],
    ["metadata.my secret", "metadata"],
    ["tools[0].parameters.properties.secret", "tools[0].parameters"],
    ["text.format.schema.secret.type", "text.format.schema"],
    ["secret", null],
    ["secret.model", null],
    ["input[secret]", null],
    ["", null],
    [null, null],
    ["__proto__", null],
  ] as const) {
    t.equal(toParam(path), shown, String(path));
  }
  t.equal(toParam(`input${".content".repeat(1_000_000)}`)?.length, 253);
});

t.test("names of parameters are known ones, each once, and not without end", async (t) => {
  t.strictSame(toParameterNames(["temperature", "secret", "temperature", "metadata.cwd"]), [
    "temperature",
    "metadata.cwd",
  ]);
  t.equal(toParameterNames(Array.from({ length: 1_000 }, (_, index) => `input[${index}]`)).length, 32);
});

t.test("words are short and whole characters, ids have the form of ids", async (t) => {
  t.equal(toWord("x".repeat(1_000_000))?.length, 128);
  t.equal(toWord(`${"x".repeat(127)}😀`), `${"x".repeat(127)}\ufffd`);
  t.equal(toWord(null), null);
  t.equal(toId("resp_0123"), "resp_0123");
  for (const wrong of ["say something", "", "x".repeat(129), "ü", "a\nb"]) t.equal(toId(wrong), null);
});
