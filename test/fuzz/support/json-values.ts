import fc from "fast-check";

/** Texts that have broken parsers, maps and paths before. */
export const nastyTexts = [
  "",
  " ",
  "__proto__",
  "constructor",
  "toString",
  "../../etc/passwd",
  "%2e%2e%2f",
  "\u0000",
  "\ud800",
  "\u202e\ufeff",
  "9".repeat(400),
  "a".repeat(2000),
  '{"a":',
  "data:image/png;base64,AAAA",
  "https://example.com/x.png",
] as const;

export const anyText = fc.oneof(
  fc.string({ maxLength: 12 }),
  // Code units, so that halves of pairs are among them.
  fc.array(fc.nat(0xffff), { maxLength: 8 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom(...nastyTexts),
);

const scalar = fc.oneof(
  anyText,
  fc.integer(),
  fc.double(),
  fc.constantFrom(null, true, false, 0, -1, 1e308, Number.MAX_SAFE_INTEGER + 2),
);

/** Any value, not deep. */
export const anyJson: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { weight: 4, arbitrary: scalar },
    { weight: 1, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.dictionary(anyText, tie("value"), { maxKeys: 3, noNullPrototype: true }) },
  ),
})).value;

/** What a key may hold: any of a list, or what an arbitrary makes. */
type Shape = Readonly<Record<string, readonly unknown[] | fc.Arbitrary<unknown>>>;

/** An object with these keys and a few of the others, each with what is meant for it or, now and then, with anything. */
export function almost(usual: Shape, others: Shape = {}): fc.Arbitrary<Record<string, unknown>> {
  const base = fc.record(
    Object.fromEntries(Object.entries(usual).map(([key, meant]) => [key, orAnything(meant)])),
    { noNullPrototype: true },
  );
  const entries = Object.entries(others).map(([key, meant]) =>
    orAnything(meant).map((value) => [key, value] as const),
  );
  if (entries.length === 0) return base;
  const some = fc.array(fc.oneof(...entries), { maxLength: 3 });
  return fc.tuple(base, some).map(([object, more]) => ({ ...object, ...Object.fromEntries(more) }));
}

function orAnything(meant: Shape[string]): fc.Arbitrary<unknown> {
  const right = meant instanceof fc.Arbitrary ? meant : fc.constantFrom(...meant);
  return fc.oneof({ weight: 40, arbitrary: right }, { weight: 1, arbitrary: anyJson });
}

/** JSON as text, whole or damaged: cut, with a character too many, nested too deep, or no JSON at all. */
export function asText(value: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const whole = value.map((one) => JSON.stringify(one) ?? "null");
  return fc.oneof(
    { weight: 12, arbitrary: whole },
    { weight: 1, arbitrary: fc.tuple(whole, fc.nat(400)).map(([text, at]) => text.slice(0, at)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(whole, fc.nat(400), anyText)
        .map(([text, at, more]) => text.slice(0, at) + more + text.slice(at)),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom("[", '{"a":', '[{"input":'), fc.nat(3000))
        .map(([opening, depth]) => opening.repeat(depth)),
    },
    { weight: 1, arbitrary: anyText },
  );
}
