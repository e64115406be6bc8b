/** What a request and its token say of how its turn waits. */
import t, { type Test } from "tap";
import type { CodexNativeApiServerOptions } from "../../src/main/http/server-options.js";
import { answerHello } from "../support/fake-runtime.js";
import { call, type HttpFixture, namedToken, serveFake } from "../support/http-fixture.js";

const paths = ["/v1/responses", "/v1/chat/completions"] as const;
const bodies = {
  "/v1/responses": { input: "hello" },
  "/v1/chat/completions": { messages: [{ role: "user", content: "hello" }] },
} as const;

async function serve(t: Test, options: Partial<CodexNativeApiServerOptions> = {}): Promise<HttpFixture> {
  const fixture = await serveFake(t, options);
  fixture.runtime.script = answerHello;
  return fixture;
}

function lastRequest({ runtime }: HttpFixture) {
  const turn = runtime.turns.at(-1);
  if (turn === undefined) throw new Error("no turn was asked for");
  return turn.request;
}

t.test(
  "a turn is interactive and waits as long as the queue does, unless its request says else",
  async (t) => {
    const fixture = await serve(t);
    for (const path of paths) {
      await call(fixture, path, { body: bodies[path] });
      const { priority, deadlineAtMs } = lastRequest(fixture);
      t.strictSame({ priority, deadlineAtMs }, { priority: undefined, deadlineAtMs: undefined }, path);
    }
  },
);

t.test("a request's own time counts from its arrival", async (t) => {
  const fixture = await serve(t);
  for (const path of paths) {
    const before = performance.now();
    await call(fixture, path, { body: bodies[path], headers: { "x-request-timeout-ms": "60000" } });
    const { deadlineAtMs = 0 } = lastRequest(fixture);
    t.ok(deadlineAtMs >= before + 59_000 && deadlineAtMs <= performance.now() + 60_000, path);
  }
});

t.test("the priority comes from the body, else from the header, and both are checked", async (t) => {
  const fixture = await serve(t);
  const header = { "x-request-priority": "background" };
  for (const path of paths) {
    const sent: readonly (readonly [object, Record<string, string>, string | undefined])[] = [
      [{ priority: "background" }, {}, "background"],
      [{}, header, "background"],
      [{ priority: "interactive" }, header, "interactive"],
      [{ priority: "interactive" }, { "x-request-priority": "no priority at all" }, "interactive"],
      [{ priority: null }, {}, undefined],
    ];
    for (const [body, headers, expected] of sent) {
      const answer = await call(fixture, path, { body: { ...bodies[path], ...body }, headers });
      t.equal(answer.status, 200, path);
      t.equal(lastRequest(fixture).priority, expected, JSON.stringify([body, headers]));
      t.notOk(answer.text.includes('"ignored_parameters":["priority"]'));
    }
    const refused = await call(fixture, path, { body: { ...bodies[path], priority: "high" } });
    t.match(refused.json(), { error: { code: "invalid_request", param: "priority" } }, path);
  }
});

t.test("a header of another form is refused by its name", async (t) => {
  const fixture = await serve(t);
  const bad: readonly (readonly [string, string])[] = [
    ["x-request-timeout-ms", "0"],
    ["x-request-timeout-ms", "-1"],
    ["x-request-timeout-ms", "1.5"],
    ["x-request-timeout-ms", "5s"],
    ["x-request-timeout-ms", ""],
    ["x-request-timeout-ms", "2147483648"],
    ["x-request-timeout-ms", "99999999999999999999"],
    ["x-request-priority", "low"],
    ["x-request-priority", "Background"],
  ];
  for (const path of paths) {
    for (const [name, value] of bad) {
      const answer = await call(fixture, path, { body: bodies[path], headers: { [name]: value } });
      t.equal(answer.status, 400, `${name}: ${value}`);
      t.match(answer.json(), { error: { code: "invalid_request", param: name } });
    }
  }
});

t.test("all turns of a token for background work are that, whatever they say", async (t) => {
  const token = namedToken("batch", "secret-of-the-batch", { priority: "background" });
  const fixture = await serve(t, { tokens: [token] });
  const headers = { authorization: "Bearer secret-of-the-batch", "x-request-priority": "interactive" };
  for (const path of paths) {
    await call(fixture, path, { body: { ...bodies[path], priority: "interactive" }, headers });
    t.equal(lastRequest(fixture).priority, "background", path);
  }
});
