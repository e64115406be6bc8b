/** The snippets of the page's playground, run: each sends what the page sends, whatever is in it. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { text as readText } from "node:stream/consumers";
import t, { type Test } from "tap";
import {
  type SnippetKind,
  snippetKinds,
  tokenVariable,
  writeSnippet,
} from "../../../src/page/views/try/snippets.js";
import { writeJson } from "../../../src/page/views/try/try-request.js";

interface Received {
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

async function startReceiver(t: Test) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const { authorization, "content-type": contentType } = request.headers;
    received.push({ authorization, contentType, body: await readText(request) });
    response.writeHead(200, { "content-type": "text/event-stream" }).end("data: héllo\n\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { received, origin: `http://127.0.0.1:${port}` };
}

const programs: Readonly<Record<SnippetKind, readonly [string, ...string[]]>> = {
  curl: ["/bin/sh", "-s"],
  node: [process.execPath, "--input-type=module", "-"],
  python: ["/usr/bin/python3", "-"],
};

/** As one who pastes it: the program reads the snippet. What it prints is returned. */
async function runSnippet(kind: SnippetKind, snippet: string, token: string): Promise<string> {
  const [program, ...args] = programs[kind];
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH ?? "", [tokenVariable]: token, HOME: "/nonexistent", no_proxy: "*" },
    stdio: ["pipe", "pipe", "inherit"],
    timeout: 60_000,
  });
  child.stdin.end(snippet);
  const printed = await readText(child.stdout);
  return printed;
}

const hostileTexts = {
  quotes: `it's "quoted" \`and\` ticked '"'"' ''' """`,
  commands: `$(touch /tmp/pwned) \`id\` \${HOME} $CODEX_NATIVE_API_AUTH_TOKEN %s !! !$ ~ *`,
  backslashes: "\\ \\\\ \\' \\n \\u0041 trailing \\",
  lines: "one\ntwo\r\nthree\ttabbed\n\nEND_OF_BODY\n'\n",
  controls: "\u0000\u0007\u001b[31m\u007f\u0085\u009b0m\u2028\u2029",
  directions: "\u202egnp.exe\u202c \u2066x\u2069 \ufeff\u200b",
  halves: "\ud83d and \ude00, whole \u{1f600}",
  script: `</script><img src=x onerror=alert(1)> \${\`\${1}\`} {{7*7}}`,
  python: "true\nTrue, false: null # None \\N{BULLET} %(x)s {x}",
  heredoc: "END_OF_BODY",
};

const hostileBody = {
  model: "gpt-5.5",
  input: Object.values(hostileTexts).join("\n"),
  metadata: hostileTexts,
  nested: [true, false, null, 1.5, -0, 1e21, 12345678901234567000, [], {}, [true, [null]], "true", "null,"],
  stream: true,
  [`key: true, "${hostileTexts.quotes}"`]: null,
  ' ": true': false,
};

/** An own property of this name, as JSON has it, and not another prototype. */
const withPrototype: unknown = JSON.parse('{"__proto__": {"polluted": true}, "deep": {"__proto__": null}}');

for (const kind of snippetKinds) {
  const skip = existsSync(programs[kind][0]) ? {} : { skip: `there is no ${programs[kind][0]}` };

  t.test(`${kind} sends hostile texts as they are, with the token of the environment`, skip, async (t) => {
    const { received, origin } = await startReceiver(t);
    const body = writeJson(hostileBody);
    const snippet = writeSnippet(kind, {
      origin,
      path: "/v1/responses",
      body,
      isStreamed: true,
      hasToken: true,
    });
    t.match(await runSnippet(kind, snippet, "tok$en`'\"\\1"), /data: héllo/);
    t.equal(received.length, 1);
    t.same(JSON.parse(received[0]?.body ?? ""), JSON.parse(JSON.stringify(hostileBody)));
    t.match(received[0], { authorization: "Bearer tok$en`'\"\\1", contentType: "application/json" });
    t.notOk(existsSync("/tmp/pwned"));
  });

  t.test(`${kind} sends a name that would set a prototype`, skip, async (t) => {
    const { received, origin } = await startReceiver(t);
    const body = writeJson(withPrototype);
    const source = { origin, path: "/v1/decisions", body, isStreamed: false, hasToken: false };
    await runSnippet(kind, writeSnippet(kind, source), "unused");
    t.equal(JSON.stringify(JSON.parse(received[0]?.body ?? "")), JSON.stringify(withPrototype));
    t.equal(received[0]?.authorization, undefined, "a service without tokens is sent none");
  });

  t.test(`${kind} sends a long text`, skip, async (t) => {
    const { received, origin } = await startReceiver(t);
    const value = { input: `${hostileTexts.quotes} ${hostileTexts.commands}\n`.repeat(3_000) };
    const source = {
      origin,
      path: "/v1/responses",
      body: writeJson(value),
      isStreamed: true,
      hasToken: true,
    };
    await runSnippet(kind, writeSnippet(kind, source), "token");
    t.same(JSON.parse(received[0]?.body ?? "null"), value);
  });
}

t.test("curl sends the very bytes that the page sends", async (t) => {
  const { received, origin } = await startReceiver(t);
  const body = writeJson(hostileBody);
  const source = { origin, path: "/v1/responses", body, isStreamed: true, hasToken: true };
  await runSnippet("curl", writeSnippet("curl", source), "token");
  t.equal(received[0]?.body, body);
});

t.test("no snippet has a character that misleads the eye or a terminal", async (t) => {
  const body = writeJson(hostileBody);
  for (const kind of snippetKinds) {
    const snippet = writeSnippet(kind, {
      origin: "http://127.0.0.1:1",
      path: "/v1/responses",
      body,
      isStreamed: true,
      hasToken: true,
    });
    const misleading = [...snippet].filter(
      (character) => character !== "\n" && /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(character),
    );
    t.same(misleading, [], kind);
  }
});
