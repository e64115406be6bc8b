import { Readable } from "node:stream";
import t from "tap";
import type { CliContext } from "../../../src/main/cli/cli-context.js";
import { runCli } from "../../../src/main/cli/run-cli.js";
import { CodexNativeApiError } from "../../../src/main/errors.js";
import { makeCliContext, runInProcess, TextSink } from "../../support/cli-context.js";
import { fakeMachine } from "../../support/fake-machine.js";
import { FakePrivateRuntime } from "../../support/fake-private-runtime.js";
import { answerUntilAborted, failure, helloDeltas, messageItem } from "../../support/fake-runtime.js";
import { FakeProcessEvents } from "../../support/fake-service.js";
import { serveFake } from "../../support/http-fixture.js";

const hello = helloDeltas.join("");

const intentSchema = {
  type: "object",
  properties: { intent: { type: "string" } },
  required: ["intent"],
  additionalProperties: false,
};

/** With port 0 there is no service to ask. */
function askPrivately(
  argv: readonly string[],
  runtime: FakePrivateRuntime,
  overrides: Partial<CliContext> = {},
) {
  return runInProcess(["ask", "--port", "0", ...argv], { createRuntime: async () => runtime, ...overrides });
}

t.test("ask prints the service's answer and nothing else on standard output", async (t) => {
  const { port, runtime } = await serveFake(t);
  const argv = ["ask", "--port", String(port), "--model", "gpt-fake-mini", "--instructions", "Be brief."];
  const ended = await runInProcess([...argv, "--effort", "low", "Hello?"]);
  t.strictSame(ended, { code: 0, stdout: `${hello}\n`, stderr: "" });
  t.match(runtime.turns[0]?.request, {
    model: "gpt-fake-mini",
    instructions: "Be brief.",
    effort: "low",
    items: [{ role: "user", content: [{ type: "input_text", text: "Hello?" }] }],
  });
});

t.test("the question may come from standard input", async (t) => {
  for (const argv of [[], ["-"]]) {
    const runtime = new FakePrivateRuntime();
    const stdin = Readable.from([Buffer.from("wö"), Buffer.from("rld?\n")]);
    t.match(await askPrivately(argv, runtime, { stdin }), { code: 0, stdout: `${hello}\n` });
    t.match(runtime.turns[0]?.request.items, [{ content: [{ text: "wörld?\n" }] }]);
  }
});

t.test(
  "a question that is missing, empty, too long or no text is refused before anything starts",
  async (t) => {
    const runtime = new FakePrivateRuntime();
    const terminal = Object.assign(Readable.from([]), { isTTY: true });
    const ask = (argv: readonly string[], stdin: Readable) => askPrivately(argv, runtime, { stdin });
    t.match(await ask([], terminal), { code: 2, stderr: /there is no question/ });
    t.match(await ask(["  "], terminal), { code: 2, stderr: /the question is empty/ });
    t.match(await ask([], Readable.from([Buffer.from([0xff, 0xfe])])), { code: 2, stderr: /not UTF-8/ });
    const long = Readable.from([Buffer.alloc(600, "a"), Buffer.alloc(600, "a")]);
    t.match(await ask(["--max-body-bytes", "1024"], long), { code: 2, stderr: /more than 1024 bytes/ });
    t.match(await ask(["two", "words"], terminal), { code: 2, stderr: /put quotes around/ });
    t.match(await ask(["-5 + 3?"], terminal), {
      code: 2,
      stderr: /: 1 fault .*\n.* begins with - goes behind --/,
    });
    t.strictSame(runtime.calls, []);
  },
);

t.test("without a service a runtime of its own answers and is ended", async (t) => {
  const runtime = new FakePrivateRuntime();
  t.strictSame(await askPrivately(["Hello?"], runtime), { code: 0, stdout: `${hello}\n`, stderr: "" });
  t.strictSame(runtime.calls, ["start", "destroy"]);
});

t.test("a runtime that cannot run turns is an error that says why, with exit code 3", async (t) => {
  const runtime = new FakePrivateRuntime();
  runtime.currentHealth = {
    ...runtime.currentHealth,
    readiness: { ready: false, error: { code: "native_login_required", message: "Run `codex login`." } },
  };
  t.match(await askPrivately(["Hello?"], runtime), {
    code: 3,
    stdout: "",
    stderr: "codex-native-api: Run `codex login`. (native_login_required)\n",
  });
  t.strictSame(runtime.calls, ["start", "destroy"]);
});

t.test("a state directory that cannot be used is told like any other fault", async (t) => {
  const runtime = new FakePrivateRuntime();
  runtime.start = async () => {
    throw new CodexNativeApiError("native_runtime_unavailable", "The state directory is open to others.");
  };
  t.match(await askPrivately(["Hello?"], runtime), { code: 3, stderr: /open to others/ });
  t.strictSame(runtime.calls, ["destroy"]);
});

t.test("a turn that fails ends with 1, a request at fault with 2", async (t) => {
  const { port, runtime } = await serveFake(t);
  const argv = ["ask", "--port", String(port), "Hello?"];
  const own = new FakePrivateRuntime();
  for (const [code, exit] of [
    ["turn_stalled", 1],
    ["model_not_found", 2],
    ["native_runtime_unavailable", 3],
  ] as const) {
    for (const target of [runtime, own]) {
      target.script = async () => {
        throw failure(code);
      };
    }
    for (const ended of [await runInProcess(argv), await askPrivately(["Hello?"], own)]) {
      t.match(ended, { code: exit, stdout: "", stderr: new RegExp(`failed with ${code} \\(${code}\\)`) });
    }
  }
});

t.test("an answer that breaks off leaves what came, and the reason on a line of its own", async (t) => {
  const { port, runtime } = await serveFake(t);
  runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "item.started", itemId: "m", itemType: "message" });
    await turn.emit({ type: "text.delta", itemId: "m", delta: "Half" });
    throw failure("upstream_connection_failed");
  };
  t.strictSame(await runInProcess(["ask", "--port", String(port), "Hello?"]), {
    code: 1,
    stdout: "Half\n",
    stderr: "codex-native-api: failed with upstream_connection_failed (upstream_connection_failed)\n",
  });
});

t.test("--json-schema sends the schema, from the text or a file, and prints the value whole", async (t) => {
  const machine = fakeMachine({ "/srv/app/intent.json": JSON.stringify(intentSchema) });
  for (const given of [JSON.stringify(intentSchema), "intent.json"]) {
    const runtime = new FakePrivateRuntime();
    runtime.script = async (turn) => {
      turn.start();
      await turn.emitText("m", ['{"intent"', ': "question"}']);
      return turn.result();
    };
    const ended = await askPrivately(["--json-schema", given, "Hello?"], runtime, { machine });
    t.strictSame(ended, { code: 0, stdout: '{"intent": "question"}\n', stderr: "" });
    t.strictSame(runtime.turns[0]?.request.outputSchema, intentSchema);
  }
});

t.test("--json-schema prints nothing when the answer is no JSON", async (t) => {
  // Not strict, so that the model is only asked in words.
  const schema = { type: "object", properties: { a: { type: "string" } } };
  const runtime = new FakePrivateRuntime();
  const ended = await askPrivately(["--json-schema", JSON.stringify(schema), "Hello?"], runtime);
  t.equal(ended.code, 1);
  t.equal(ended.stdout, "");
  t.match(ended.stderr, /did not answer in JSON/);
});

t.test("a schema that cannot be read is refused by name", async (t) => {
  const runtime = new FakePrivateRuntime();
  const machine = fakeMachine({ "/srv/app/list.json": "[]" });
  const ask = (schema: string) => askPrivately(["--json-schema", schema, "Hello?"], runtime, { machine });
  t.match(await ask("nowhere.json"), {
    code: 2,
    stderr: /--json-schema: there is no file \/srv\/app\/nowhere.json/,
  });
  t.match(await ask("list.json"), { code: 2, stderr: /is not a JSON object/ });
  t.match(await ask("{oops"), { code: 2, stderr: /is not JSON/ });
  t.strictSame(runtime.calls, []);
});

t.test("a refusal of the model's is not the answer", async (t) => {
  const runtime = new FakePrivateRuntime();
  runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "item.started", itemId: "m", itemType: "message" });
    const item = { ...messageItem("m", ""), content: [{ type: "refusal", refusal: "I will not." }] };
    await turn.emit({ type: "item.completed", item });
    return turn.result();
  };
  t.match(await askPrivately(["Hello?"], runtime), { code: 1, stdout: "", stderr: /refused: I will not\./ });
});

t.test("a terminal is not given the model's control characters, a pipe gets the text as it is", async (t) => {
  const answer = "\u001b]0;title\u0007 a\tb\n\u009bc";
  for (const [isTTY, shown] of [
    [true, "\uFFFD]0;title\uFFFD a\tb\n\uFFFDc\n"],
    [false, `${answer}\n`],
  ] as const) {
    const runtime = new FakePrivateRuntime();
    runtime.script = async (turn) => {
      turn.start();
      await turn.emitText("m", [answer]);
      return turn.result();
    };
    const stdout = Object.assign(new TextSink(), { isTTY });
    await askPrivately(["Hello?"], runtime, { stdout });
    t.equal(stdout.text, shown);
  }
});

t.test("Ctrl-C interrupts the turn, of the service and of a runtime of its own", async (t) => {
  const { port, runtime: served } = await serveFake(t);
  const own = new FakePrivateRuntime();
  for (const [argv, runtime] of [
    [["ask", "--port", String(port), "Hello?"], served],
    [["ask", "--port", "0", "Hello?"], own],
  ] as const) {
    const events = new FakeProcessEvents();
    const stdout = new TextSink();
    const started = new Promise<void>((resolve) => {
      runtime.script = async (turn) => {
        turn.start();
        await turn.emit({ type: "item.started", itemId: "m", itemType: "message" });
        resolve();
        return answerUntilAborted(turn);
      };
    });
    const code = runCli(makeCliContext({ argv, events, stdout, createRuntime: async () => own }));
    await started;
    events.signal("SIGINT");
    t.equal(await code, 130);
    await runtime.turns[0]?.aborted();
  }
  t.strictSame(own.calls, ["start", "destroy"]);
});

t.test("a second Ctrl-C does not wait for a clean end", async (t) => {
  const own = new FakePrivateRuntime();
  const started = new Promise<void>((resolve) => {
    own.start = () => {
      resolve();
      return new Promise(() => {});
    };
  });
  own.destroy = () => new Promise(() => {});
  const events = new FakeProcessEvents();
  const exited = new Promise<number>((exit) => {
    const argv = ["ask", "--port", "0", "Hello?"];
    void runCli(makeCliContext({ argv, events, exit, createRuntime: async () => own }));
  });
  await started;
  events.signal("SIGINT");
  events.signal("SIGINT");
  t.equal(await exited, 130);
});

t.test("a reader that goes away ends the turn without a word", async (t) => {
  const runtime = new FakePrivateRuntime();
  const stderr = new TextSink();
  const stdout = {
    write: (_text: string, written?: (error?: Error | null) => void) => {
      written?.(Object.assign(new Error("broken pipe"), { code: "EPIPE" }));
      return false;
    },
  };
  t.match(await askPrivately(["Hello?"], runtime, { stdout, stderr }), { code: 1 });
  t.equal(stderr.text, "");
  t.strictSame(runtime.calls, ["start", "destroy"]);
});

t.test("another program at the address is not sent the question", async (t) => {
  const { createServer } = await import("node:http");
  const paths: (string | undefined)[] = [];
  const stranger = createServer((request, response) => {
    paths.push(request.url);
    response.end("hello");
  });
  await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
  t.teardown(() => new Promise<void>((resolve) => stranger.close(() => resolve())));
  const address = stranger.address();
  const port = String(typeof address === "object" ? address?.port : 0);
  const runtime = new FakePrivateRuntime();
  const ended = await runInProcess(["ask", "--port", port, "Hello?"], { createRuntime: async () => runtime });
  t.match(ended, {
    code: 0,
    stdout: `${hello}\n`,
    stderr: /another program answers at .*; asking without the service/,
  });
  t.strictSame(paths, ["/v1/health"]);
});
