import { Readable } from "node:stream";
import t from "tap";
import type { CliContext } from "../../../src/main/cli/cli-context.js";
import { runCli } from "../../../src/main/cli/run-cli.js";
import { isJsonObject } from "../../../src/workers/contract/json.js";
import { makeCliContext, runInProcess, TextSink } from "../../support/cli-context.js";
import { FakePrivateRuntime } from "../../support/fake-private-runtime.js";
import {
  answerUntilAborted,
  type FakeRuntime,
  type FakeTurn,
  failure,
  messageItem,
} from "../../support/fake-runtime.js";
import { FakeProcessEvents } from "../../support/fake-service.js";
import { serveFake } from "../../support/http-fixture.js";
import { answersFor } from "../../support/offline-backend/decisions.js";

/** Answers as the deciding model of the end-to-end tests: 0.75 is true, and the second value is the likeliest. */
async function decideInTurn(turn: FakeTurn) {
  turn.start();
  await turn.emitText("m", [JSON.stringify(answersFor(turn.request.outputSchema ?? {}))]);
  return turn.result();
}

function makeRuntime(): FakePrivateRuntime {
  const runtime = new FakePrivateRuntime();
  runtime.script = decideInTurn;
  return runtime;
}

/** With port 0 there is no service to ask. */
function decidePrivately(
  argv: readonly string[],
  runtime: FakePrivateRuntime,
  overrides: Partial<CliContext> = {},
) {
  return runInProcess(["decide", "--port", "0", ...argv], {
    createRuntime: async () => runtime,
    ...overrides,
  });
}

/** What the last turn showed to the model. */
function shownTo(runtime: FakeRuntime): string {
  return JSON.stringify(runtime.turns.at(-1)?.request.items);
}

t.test(
  "the answer is on the first line, the probabilities behind it, from the service or without",
  async (t) => {
    const { port, runtime: served } = await serveFake(t);
    served.script = decideInTurn;
    for (const [argv, stdout] of [
      [["--choice", "a, b,c"], "b\n  0.90  b\n  0.05  a\n  0.05  c\n  0.85  (confidence)\n"],
      [["--predicate", "It is urgent."], "0.75\n"],
      [["--score", "low,high"], "0.90\n  0.10  low\n  0.90  high\n  0.80  (confidence)\n"],
    ] as const) {
      const own = makeRuntime();
      t.strictSame(await decidePrivately(["Hello", ...argv], own), { code: 0, stdout, stderr: "" });
      t.strictSame(own.calls, ["start", "destroy"]);
      const ended = await runInProcess(["decide", "--port", String(port), "Hello", ...argv]);
      t.strictSame(ended, { code: 0, stdout, stderr: "" });
      for (const runtime of [own, served])
        t.match(shownTo(runtime), /Questions:.*Hello.*The input ends here/);
    }
  },
);

t.test("--json prints the API's answer, the same of the service and of a Codex of its own", async (t) => {
  const { port, runtime: served } = await serveFake(t);
  served.script = decideInTurn;
  const own = makeRuntime();
  const argv = ["--choice", "a,b", "--question", "Which?", "--name", "letter", "--json", "Hello"];
  const ended = [
    await runInProcess(["decide", "--port", String(port), ...argv]),
    await decidePrivately(argv, own),
  ];
  const [first, second] = ended.map(({ stdout }) => JSON.parse(stdout));
  t.match(first, {
    model: "gpt-fake",
    answers: [
      { type: "choice", name: "letter", choice: "b", probabilities: [{ value: "a" }, { value: "b" }] },
    ],
    native_api: { route_path: "/v1/decisions", decisions: { method: "stated" } },
  });
  t.strictSame(second.answers, first.answers);
  t.strictSame(second.usage, first.usage);
  t.match(second.native_api, { route_path: "/v1/decisions", decisions: { method: "stated" } });
  t.match(shownTo(own), /q001 choice: \\"Which\?\\"/);
});

t.test("model and effort go where decisions have them: into the model's name", async (t) => {
  const asked: (string | undefined)[] = [];
  for (const argv of [[], ["--effort", "high"], ["--model", "gpt-fake-mini", "--effort", "high"]]) {
    const runtime = makeRuntime();
    runtime.resolveModel = async (name) => {
      asked.push(name);
      return { model: "gpt-fake", alias: null, effort: null, serviceTier: null };
    };
    t.equal((await decidePrivately(["--predicate", "It is.", ...argv, "x"], runtime)).code, 0);
  }
  t.strictSame(asked, ["gpt-6-luna", "gpt-6-luna(high)", "gpt-fake-mini(high)"]);
});

t.test("the text may come from standard input", async (t) => {
  for (const argv of [[], ["-"]]) {
    const runtime = makeRuntime();
    const stdin = Readable.from([Buffer.from("wö"), Buffer.from("rld?\n")]);
    t.match(await decidePrivately(["--predicate", "It is.", ...argv], runtime, { stdin }), { code: 0 });
    t.match(shownTo(runtime), /wörld\?/);
  }
});

t.test("what is wrong with the command line is said before anything starts", async (t) => {
  const runtime = makeRuntime();
  const terminal = Object.assign(Readable.from([]), { isTTY: true });
  for (const [argv, stderr] of [
    [["x"], /give one of --predicate, --choice and --score/],
    [["x", "--choice", "a,b", "--predicate", "p"], /give one of/],
    [["x", "--choice", "a"], /--choice: takes 2 to 255 different values/],
    [["x", "--choice", "a,,b"], /--choice: takes/],
    [["x", "--choice", "a,a"], /--choice: takes/],
    [["x", "--choice", Array.from({ length: 256 }, (_, index) => index).join()], /--choice: takes/],
    [["x", "--score", Array.from({ length: 11 }, (_, index) => index).join()], /--score: takes 2 to 10/],
    [["x", "--predicate", " "], /--predicate: takes a statement/],
    [["x", "--predicate", "p", "--question", "q"], /--question: goes with/],
    [["x", "--predicate", "p", "--model", "m(low)", "--effort", "high"], /'effort'.*\(invalid_request\)/],
    [["--predicate", "p"], /there is no text; give it as an argument.*decide/],
    [["  ", "--predicate", "p"], /the text is empty/],
  ] as const)
    t.match(await decidePrivately(argv, runtime, { stdin: terminal }), { code: 2, stdout: "", stderr });
  t.strictSame(runtime.calls, []);
});

t.test("a refusal and every failure end with the exit codes of ask", async (t) => {
  const { port, runtime: served } = await serveFake(t);
  const argv = ["--predicate", "It is.", "x"];
  const refuse = async (turn: FakeTurn) => {
    turn.start();
    const content = [{ type: "refusal", refusal: "No." }];
    await turn.emit({ type: "item.completed", item: { ...messageItem("m", ""), content } });
    return turn.result();
  };
  const say = (words: string) => async (turn: FakeTurn) => {
    turn.start();
    await turn.emitText("m", [words]);
    return turn.result();
  };
  const fail = (code: Parameters<typeof failure>[0]) => async () => {
    throw failure(code);
  };
  for (const [script, code, stderr] of [
    [refuse, 1, /the model refused to answer/],
    [say("no JSON"), 1, /\(invalid_model_output\)/],
    [fail("turn_stalled"), 1, /\(turn_stalled\)/],
    [fail("model_not_found"), 2, /\(model_not_found\)/],
    [fail("native_runtime_unavailable"), 3, /\(native_runtime_unavailable\)/],
  ] as const) {
    const own = makeRuntime();
    for (const runtime of [served, own]) runtime.script = script;
    for (const ended of [
      await runInProcess(["decide", "--port", String(port), ...argv]),
      await decidePrivately(argv, own),
    ])
      t.match(ended, { code, stdout: "", stderr });
  }
  const refused = makeRuntime();
  refused.script = refuse;
  const { code, stdout } = await decidePrivately(["--json", ...argv], refused);
  t.equal(code, 1);
  const printed: unknown = JSON.parse(stdout);
  t.match(isJsonObject(printed) ? printed.answers : null, [{ type: "refusal" }]);
});

t.test("Ctrl-C interrupts the turn, of the service and of a Codex of its own", async (t) => {
  const { port, runtime: served } = await serveFake(t);
  const own = new FakePrivateRuntime();
  for (const [place, runtime] of [
    [String(port), served],
    ["0", own],
  ] as const) {
    const events = new FakeProcessEvents();
    const started = new Promise<void>((resolve) => {
      runtime.script = async (turn) => {
        resolve();
        return answerUntilAborted(turn);
      };
    });
    const argv = ["decide", "--port", place, "--predicate", "It is.", "x"];
    const stdout = new TextSink();
    const code = runCli(makeCliContext({ argv, events, stdout, createRuntime: async () => own }));
    await started;
    events.signal("SIGINT");
    t.equal(await code, 130);
    await runtime.turns[0]?.aborted();
    t.equal(stdout.text, "");
  }
  t.strictSame(own.calls, ["start", "destroy"]);
});
