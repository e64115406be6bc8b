/** Elements of long lists, checked one by one, and the long lists within them. */
import t from "tap";
import { z } from "zod";
import { checkElement } from "../../../../src/main/dialects/requests/check-element.js";

/** A check that counts how often an element is looked at. */
function countingCheck() {
  const seen = { elements: 0, parts: 0 };
  const part = z.looseObject({ text: z.string() }).superRefine(() => {
    seen.parts += 1;
  });
  const schema = z.looseObject({ role: z.string(), content: z.array(part) }).superRefine(() => {
    seen.elements += 1;
  });
  return { seen, check: { schema, field: "input", unsupported: "invalid_request" } as const };
}

const parts = (count: number) => Array.from({ length: count }, (_, at) => ({ text: `${at}` }));

t.test("lists that the schema does not read are passed on whole, and cost no second look", async (t) => {
  const { seen, check } = countingCheck();
  const unread = Object.fromEntries(
    Array.from({ length: 50 }, (_, at) => [`other${at}`, Array(300).fill(at)]),
  );
  const value = { role: "user", content: parts(3), ...unread };
  t.strictSame(checkElement(value, 0, check), value);
  t.strictSame(seen, { elements: 1, parts: 3 });
});

t.test("a long list that it reads is checked to its last element, and a fault has its place", async (t) => {
  const { seen, check } = countingCheck();
  const value = { role: "user", content: parts(250), other: Array(150).fill(0) };
  t.strictSame(checkElement(value, 0, check), value);
  t.equal(seen.parts, 250);
  t.throws(() => checkElement({ ...value, content: [...parts(230), { text: 5 }] }, 3, check), {
    code: "invalid_request",
    param: "input[3].content[230].text",
  });
});
