import t from "tap";
import { PageCodes, pageCodeBounds } from "../../../src/main/http/page-codes.js";

const { lifeMs, maxPerToken, maxWrongAttempts, attemptsWindowMs } = pageCodeBounds;

function makeCodes(t: { teardown: (end: () => void) => void }) {
  const clock = { nowMs: 0 };
  const codes = new PageCodes(() => clock.nowMs);
  t.teardown(() => codes.close());
  return { clock, codes };
}

const wrong = { code: "invalid_page_code", status: 400 };

t.test("a code stands for its token once", async (t) => {
  const { codes } = makeCodes(t);
  const code = codes.issue("ada", "token-of-ada");
  t.match(code, /^[\w-]{43}$/);
  t.equal(codes.exchange(code), "token-of-ada");
  t.throws(() => codes.exchange(code), wrong);
});

t.test("without a token it stands for none", async (t) => {
  const { codes } = makeCodes(t);
  t.equal(codes.exchange(codes.issue(null, null)), null);
});

t.test("a code ends after its time", async (t) => {
  const { clock, codes } = makeCodes(t);
  const [first, second] = [codes.issue("ada", "a"), codes.issue("ada", "a")];
  clock.nowMs = lifeMs - 1;
  t.equal(codes.exchange(first), "a");
  clock.nowMs = lifeMs;
  t.throws(() => codes.exchange(second), wrong);
});

t.test("codes differ, and no other text is one", async (t) => {
  const { codes } = makeCodes(t);
  const code = codes.issue("ada", "a");
  t.not(codes.issue("ada", "a"), code);
  for (const text of ["", "x", `${code}x`, code.slice(1), code.toLowerCase()])
    t.throws(() => codes.exchange(text), wrong, text);
  t.equal(codes.exchange(code), "a");
});

t.test("one more than a token may have ends its oldest, and no other token's", async (t) => {
  const { codes } = makeCodes(t);
  const others = codes.issue("bob", "b");
  const own = Array.from({ length: maxPerToken + 1 }, () => codes.issue("ada", "a"));
  t.throws(() => codes.exchange(own[0] ?? ""), wrong);
  for (const code of own.slice(1)) t.equal(codes.exchange(code), "a");
  t.equal(codes.exchange(others), "b");
});

t.test("after too many wrong codes none is taken, until the window is over", async (t) => {
  const { clock, codes } = makeCodes(t);
  for (let count = 0; count < maxWrongAttempts; count += 1) t.throws(() => codes.exchange("guess"), wrong);
  const right = codes.issue("ada", "a");
  clock.nowMs = attemptsWindowMs - 1_000;
  t.throws(() => codes.exchange(right), {
    code: "page_code_attempts_exceeded",
    status: 429,
    retryAfterMs: 1_000,
  });
  clock.nowMs = attemptsWindowMs;
  t.throws(() => codes.exchange("guess"), wrong);
  t.equal(codes.exchange(codes.issue("ada", "a")), "a");
});

t.test("the codes of a withdrawn token end, and no others", async (t) => {
  const { codes } = makeCodes(t);
  const [ada, bob] = [codes.issue("ada", "a"), codes.issue("bob", "b")];
  codes.forget("ada");
  t.throws(() => codes.exchange(ada), wrong);
  t.equal(codes.exchange(bob), "b");
});

t.test("the shutdown ends all", async (t) => {
  const { codes } = makeCodes(t);
  const code = codes.issue("ada", "a");
  codes.close();
  t.throws(() => codes.exchange(code), wrong);
});
