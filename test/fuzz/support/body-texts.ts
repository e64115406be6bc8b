/** Bodies by shape: what is wide, deep, many, long or full of escapes, in each field of both dialects; and half emojis anywhere. */
import fc from "fast-check";

/** How a value of about so many bytes is written. */
export type Shape = (bytes: number) => string;

const list =
  (element: string): Shape =>
  (bytes) =>
    `[${`${element},`.repeat(Math.max(0, Math.floor(bytes / (element.length + 1)) - 1))}${element}]`;

const text =
  (piece: string): Shape =>
  (bytes) =>
    `"${piece.repeat(Math.max(1, Math.floor(bytes / Buffer.byteLength(piece))))}"`;

export const plainText: Shape = text("a");

export const shapes: Readonly<Record<string, Shape>> = {
  zeros: list("0"),
  "negative fractions": list("-1.5e-7"),
  objects: list("{}"),
  lists: list("[]"),
  nulls: list("null"),
  "empty texts": list('""'),
  "short texts": list('"abcdefgh"'),
  "objects of one key": list('{"a":0}'),
  "lists in lists": list("[[[]]]"),
  "messages without text": list('{"role":"user","content":""}'),
  messages: list('{"role":"user","content":"Hello, how are you today?"}'),
  "text parts": list('{"type":"input_text","text":"ab"}'),
  "chat text parts": list('{"type":"text","text":"ab"}'),
  "messages of parts": list('{"role":"user","content":[{"type":"input_text","text":"a"}]}'),
  references: list('{"type":"item_reference","id":"x"}'),
  "calls of one id": list('{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}'),
  tools: list('{"type":"function","name":"f","parameters":{}}'),
  deep: (bytes) => `${"[".repeat(Math.floor(bytes / 2))}${"]".repeat(Math.floor(bytes / 2))}`,
  "deep objects": (bytes) => `${'{"a":'.repeat(Math.floor(bytes / 6))}0${"}".repeat(Math.floor(bytes / 6))}`,
  "as deep as it may be, many times": list(`${"[".repeat(110)}${"]".repeat(110)}`),
  "many keys": (bytes) => {
    const keys = Array.from({ length: Math.floor(bytes / 14) }, (_, index) => `"key${index}":0`);
    return `{${keys.join(",")}}`;
  },
  "one key again and again": (bytes) => `{${'"k":0,'.repeat(Math.floor(bytes / 6))}"k":0}`,
  "a long key": (bytes) => `{${text("k")(bytes)}:0}`,
  "a long number": (bytes) => "1".repeat(bytes),
  "white space": (bytes) => `[${" ".repeat(bytes)}]`,
  "escaped line ends": text("\\n"),
  "escaped quotes": text('\\"'),
  "escaped letters": text("\\u0061"),
  "escaped ideographs": text("\\u4e2d"),
  "half emojis": text("\\ud83d"),
  "whole emojis in escapes": text("\\ud83d\\ude00"),
  ideographs: text("中"),
  emojis: text("🎉"),
};

/** The fields that a shape can be put in: bodies around it, of both dialects. */
export const fields: Readonly<
  Record<string, { readonly path: string; readonly around: (value: string) => string }>
> = {
  input: { path: "/v1/responses", around: (value) => `{"input":${value}}` },
  "an item's content": {
    path: "/v1/responses",
    around: (value) => `{"input":[{"role":"user","content":${value}}]}`,
  },
  "an item's unknown key": {
    path: "/v1/responses",
    around: (value) => `{"input":[{"role":"user","content":"x","extra":${value}}]}`,
  },
  "a function's output": {
    path: "/v1/responses",
    around: (value) =>
      `{"input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":${value}}]}`,
  },
  instructions: { path: "/v1/responses", around: (value) => `{"input":"x","instructions":${value}}` },
  tools: { path: "/v1/responses", around: (value) => `{"input":"x","tools":${value}}` },
  "a tool's parameters": {
    path: "/v1/responses",
    around: (value) =>
      `{"input":"x","tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":${value}}}]}`,
  },
  metadata: { path: "/v1/responses", around: (value) => `{"input":"x","metadata":${value}}` },
  "a bridge's metadata": {
    path: "/v1/responses",
    around: (value) => `{"input":"x","metadata":{"codexbridge":{"eventMetadata":{"x":${value}}}}}`,
  },
  "a schema": {
    path: "/v1/responses",
    around: (value) =>
      `{"input":"x","text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object","properties":${value}}}}}`,
  },
  include: { path: "/v1/responses", around: (value) => `{"input":"x","include":${value}}` },
  "an unknown field": { path: "/v1/responses", around: (value) => `{"input":"x","unknown":${value}}` },
  messages: { path: "/v1/chat/completions", around: (value) => `{"messages":${value}}` },
  "a message's content": {
    path: "/v1/chat/completions",
    around: (value) => `{"messages":[{"role":"user","content":${value}}]}`,
  },
  "a message's unknown key": {
    path: "/v1/chat/completions",
    around: (value) => `{"messages":[{"role":"user","content":"x","extra":${value}}]}`,
  },
  "calls of tools": {
    path: "/v1/chat/completions",
    around: (value) => `{"messages":[{"role":"assistant","tool_calls":${value}}]}`,
  },
  "a chat tool's parameters": {
    path: "/v1/chat/completions",
    around: (value) =>
      `{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":${value}}}}]}`,
  },
  "a response format": {
    path: "/v1/chat/completions",
    around: (value) =>
      `{"messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":${value}}}}}`,
  },
  "an unknown field of a chat": {
    path: "/v1/chat/completions",
    around: (value) => `{"messages":[{"role":"user","content":"x"}],"unknown":${value}}`,
  },
};

/** Texts of JSON strings, quotes included, with escapes of every kind and halves of surrogate pairs among them. */
const written = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "a",
        "ä",
        "漢",
        "🎉",
        "\ufffd",
        "\\n",
        '\\"',
        "\\\\",
        "\\u0041",
        "\\ud83d",
        "\\uDE00",
        "\\ud83d\\ude00",
        "\\uD83D\\\\",
        "\\/",
      ),
    ),
    { maxLength: 6 },
  )
  .map((pieces) => `"${pieces.join("")}"`);

const space = fc.constantFrom("", "", "", " ", "\n\t");

const value: fc.Arbitrary<string> = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    { weight: 4, arbitrary: written },
    { weight: 2, arbitrary: fc.constantFrom("0", "-1.5e3", "null", "true", "{}", "[]") },
    { weight: 2, arbitrary: tie("list") },
    { weight: 2, arbitrary: tie("object") },
  ),
  list: fc
    .tuple(fc.array(tie("value"), { maxLength: 4 }), space)
    .map(([entries, gap]) => `[${gap}${entries.join(`${gap},`)}${gap}]`),
  object: fc
    .tuple(fc.array(fc.tuple(written, tie("value")), { maxLength: 4 }), space)
    .map(
      ([entries, gap]) => `{${gap}${entries.map(([key, entry]) => `${key}${gap}:${entry}`).join(",")}${gap}}`,
    ),
})).value;

const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('"input"', '"messages"', '"in\\u0070ut"', '"model"') },
  { weight: 1, arbitrary: written },
);

/** Bodies with half emojis in any text or key, lists of items among them, some damaged. */
export const anyBodyText: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(fc.tuple(name, value), { maxLength: 4 }),
    fc.option(fc.tuple(fc.nat(300), fc.constantFrom("", ",", "]", "}", '"', "\\", "0"))),
  )
  .map(([entries, damage]) => {
    const whole = `{${entries.map(([key, entry]) => `${key}:${entry}`).join(",")}}`;
    if (damage === null) return whole;
    const [at, put] = damage;
    // Cut within an emoji, it would not be what is sent.
    return (whole.slice(0, at) + put + whole.slice(at + 1)).toWellFormed();
  });
