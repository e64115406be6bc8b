import t from "tap";
import { publicText, readUpstreamWords } from "../../../../src/workers/turn/upstream-words.js";

const wordsOf = (body: unknown): string =>
  readUpstreamWords(typeof body === "string" ? body : JSON.stringify(body)).words;

t.test("a body of any shape gives its words and no JSON", async (t) => {
  const bodies: readonly [body: unknown, words: string][] = [
    [{ error: { message: "Not now." } }, "Not now."],
    [{ error: "Not now." }, "Not now."],
    [{ detail: "Not now." }, "Not now."],
    [{ message: "Not now." }, "Not now."],
    [{ error: { message: "" }, detail: "Not now." }, "Not now."],
    [{ detail: { code: "deactivated_workspace" } }, "deactivated_workspace"],
    [{ detail: { message: "Not now." } }, "Not now."],
    [{ detail: [{ loc: ["body", "input", 0], msg: "field required" }] }, "body.input.0: field required"],
    [{ detail: [{ msg: "one" }, { msg: "two" }] }, "one; two"],
    [{ errors: [{ message: "one" }, "two"] }, "one; two"],
    [[{ msg: "one" }], "one"],
    [{ title: "Not now.", status: 400 }, "Not now."],
    [{ error: { message: '{"detail":"Not now."}' } }, "Not now."],
    [{ error: { message: "<!DOCTYPE html><title>Not now.</title>" } }, "Not now."],
    [{ nothing: "of note" }, ""],
    ['{"error":{"message":"cut off in the mid', ""],
    ["[x] a sentence", "[x] a sentence"],
    ["Not now.", "Not now."],
    ["", ""],
  ];
  for (const [body, words] of bodies) t.equal(wordsOf(body), words, JSON.stringify(body));
});

t.test("bodies within bodies end somewhere, without JSON", async (t) => {
  let body = JSON.stringify({ detail: "deep" });
  for (let depth = 0; depth < 12; depth += 1) body = JSON.stringify({ detail: body });
  t.equal(wordsOf(body), "");
  const nested = `${'{"detail":['.repeat(50_000)}${"]}".repeat(50_000)}`;
  t.notMatch(wordsOf(nested), /detail/);
});

t.test("a page gives what it shows", async (t) => {
  const page = `<!DOCTYPE html><html><head><title>Just a moment...</title><style>.a{b:c}</style>
    <script>var x = "<b>";</script></head><body><!-- hidden --><h1>Access&nbsp;denied</h1><p>A &amp; B</p></body></html>`;
  t.equal(wordsOf(page), "Just a moment... Access denied A & B");
  t.ok(wordsOf(`<html>${"word ".repeat(5000)}`).length < 400);
  t.notMatch(wordsOf(`<html><p>${"<".repeat(5000)}`), /</);
});

t.test("the status, its phrase and what was asked are read off Codex's words", async (t) => {
  t.match(
    readUpstreamWords(
      'unexpected status 403 Forbidden: {"detail":"No."}, url: wss://h/v1/responses, cf-ray: a-FRA, request id: r_1',
    ),
    { status: 403, reason: "Forbidden", words: "No.", isUpgrade: true },
  );
  t.match(readUpstreamWords("unexpected status 520 <unknown status code>: x, url: http://h/v1"), {
    status: 520,
    reason: null,
    words: "x",
    isUpgrade: false,
  });
  t.match(readUpstreamWords("unexpected status 502 Bad Gateway: , url: http://h/v1"), {
    status: 502,
    words: "",
  });
  t.match(readUpstreamWords("Failed to refresh token: 500 Internal Server Error"), {
    status: 500,
    isRefresh: true,
  });
});

t.test("no path of this machine and no endless text reaches a caller", async (t) => {
  t.equal(publicText("cannot read /home/me/.codex/auth.json: denied"), "cannot read [path]: denied");
  for (const path of [
    "/root/.codex/auth.json",
    "config:/root/.codex/auth.json",
    "(/root/a/b)",
    "file:///root/.codex/auth.json",
    "file://localhost/root/a",
    "~/.codex/auth.json",
    String.raw`C:\Users\me\.codex\auth.json`,
    String.raw`\\box\share\auth.json`,
  ]) {
    t.notMatch(publicText(`cannot read ${path}: denied`), /root|codex|Users|share/, path);
  }
  t.equal(publicText("either/or, 1/2/3, application/json"), "either/or, 1/2/3, application/json");
  t.ok(publicText("x".repeat(10_000)).length < 2100);
});

t.test("no address of the backend reaches a caller, in whatever form", async (t) => {
  for (const address of [
    "http://127.0.0.1:4000/v1/responses",
    "https://chatgpt.com/backend-api/codex/responses",
    "https://api.openai.com/v1/responses",
    "https://auth.openai.com/oauth/token",
    "wss://backend.example/v1/responses",
    "socks5h://proxy.corp:1080",
    "127.0.0.1",
    "10.1.2.3:443",
    "[::1]:8080",
    "[2001:db8::7]",
    "2001:db8:0:1:1:1:1:1",
    "fe80::1",
    "::1",
    "localhost:4000",
    "localhost",
    "backend.example:8443",
    "model-gw.internal",
    "eastus.api.azure.com",
    "chatgpt.com",
  ]) {
    for (const text of [
      address,
      `cannot reach ${address}.`,
      `error for url (${address})`,
      `"${address}"`,
      `${address}: refused`,
    ]) {
      t.notOk(publicText(text).includes(address.replace(/^\w+:\/\//, "").slice(0, 6)), text);
      // What Codex puts after the words of a network fault goes as a whole.
      t.match(publicText(text), /\[address\]|^error$/, text);
    }
  }
});

t.test("what is no address stays", async (t) => {
  for (const text of [
    "text.format.schema must be an object",
    "stream closed before response.completed",
    "The 'gpt-5.4' model is not supported",
    "input[0].content: 12:30:45 is no date",
    "1.5 of 2.0, e.g. this",
    "Visit https://chatgpt.com/settings/usage to purchase more credits or try again at 9:46 PM.",
    "See https://platform.openai.com/docs/guides/error-codes.",
    "code:1234 std::fs",
  ]) {
    t.equal(publicText(text), text);
  }
});

t.test("no token reaches a caller", async (t) => {
  for (const token of [
    "Bearer abcdefghijkl",
    "eyJhbGciOiJub25lIn0.eyJlbWFpbCI6IngifQ.sig",
    "sk-proj-abcdefghijklmnop",
    "rt_0123456789abcdef",
  ]) {
    t.equal(publicText(`Incorrect key: ${token} was given`), "Incorrect key: [token] was given");
  }
});

t.test("no text makes the reading slow", async (t) => {
  const hostile = [
    "a.".repeat(200_000),
    "a:".repeat(200_000),
    "<script".repeat(50_000),
    `<html>${"<script".repeat(50_000)}`,
    `<html>${"<!--".repeat(50_000)}`,
    "://".repeat(100_000),
    "a-b.".repeat(100_000),
    `unexpected status 500 ${", url: x".repeat(50_000)}`,
    "the ".repeat(100_000),
    "{".repeat(400_000),
    "\\".repeat(400_000),
    "/a".repeat(200_000),
  ];
  const plain = elapsed(() => JSON.parse(JSON.stringify("x".repeat(4_000_000))));
  for (const text of hostile) {
    const ms = elapsed(() => readUpstreamWords(text));
    t.ok(ms < 50 + 20 * plain, `${text.slice(0, 20)}: ${Math.round(ms)} ms`);
  }
});

t.test("a body that is no text leaves no control characters", async (t) => {
  const compressed = Buffer.from("1f8b0800000000000003cb48cdc9c957c840500047d4a3e81d000000", "hex").toString(
    "latin1",
  );
  for (const text of [
    compressed,
    `{"detail":${JSON.stringify(`a\u0000\u001b[31mb\u009b`)}}`,
    "\u001b]0;x\u0007",
  ]) {
    t.notMatch(wordsOf(text), /[^\P{Cc}\t\n\r]/u);
  }
  t.equal(publicText("one\n\ttwo\u0000\u0001three"), "one\n\ttwo three");
});

function elapsed(act: () => unknown): number {
  const before = performance.now();
  act();
  return performance.now() - before;
}
