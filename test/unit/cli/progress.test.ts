import { setImmediate as nextRound } from "node:timers/promises";
import t from "tap";
import { type AskStage, noProgress } from "../../../src/main/cli/ask/progress.js";
import { watchRequest } from "../../../src/main/cli/ask/watch-request.js";
import type { CliContext } from "../../../src/main/cli/cli-context.js";
import type { ServiceAnswer } from "../../../src/main/cli/service-client.js";
import { cellsOf, lastCells, showOnOneLine } from "../../../src/main/cli/terminal.js";
import { runInProcess, TextSink } from "../../support/cli-context.js";
import { FakePrivateRuntime } from "../../support/fake-private-runtime.js";
import { type FakeTurn, failure, readyHealth } from "../../support/fake-runtime.js";
import { FakeProcessEvents } from "../../support/fake-service.js";
import { FakeClock, FakeTerminal } from "../../support/fake-terminal.js";
import { serveFake } from "../../support/http-fixture.js";
import { answersFor } from "../../support/offline-backend/decisions.js";
import { pollUntil } from "../../support/service-harness.js";

const ask = ["ask", "--port", "0", "Hello?"];
const decide = ["decide", "--port", "0", "--predicate", "It is.", "Hello?"];
const note = "no service runs; starting Codex for this question";

/** A command on a terminal, with a Codex of its own that a test plays. */
function prepare(columns?: number) {
  const terminal = new FakeTerminal(columns);
  const clock = new FakeClock();
  const runtime = new FakePrivateRuntime();
  const { output } = terminal;
  const context: Partial<CliContext> = {
    stdout: output,
    stderr: output,
    monotonicClock: clock.monotonicClock,
    repeat: clock.repeat,
    createRuntime: async () => runtime,
  };
  return { terminal, clock, runtime, context };
}

async function think(turn: FakeTurn, words: string): Promise<void> {
  await turn.emit({ type: "item.started", itemId: "r", itemType: "reasoning" });
  await turn.emit({ type: "reasoning_summary.part", itemId: "r", summaryIndex: 0 });
  await turn.emit({ type: "reasoning_summary.delta", itemId: "r", summaryIndex: 0, delta: words });
}

t.test("a line shows the seconds and where the question stands, and is removed for the answer", async (t) => {
  const { terminal, clock, runtime, context } = prepare();
  const lines: string[] = [];
  const look = (ms: number) => {
    clock.advance(ms);
    lines.push(terminal.line);
  };
  runtime.start = async () => {
    look(2_000);
    return { ready: true };
  };
  runtime.script = async (turn) => {
    turn.handlers.onAdmission?.(false);
    look(1_000);
    turn.admit();
    look(1_000);
    turn.start();
    look(56_000);
    await turn.emit({ type: "item.started", itemId: "r", itemType: "reasoning" });
    look(5_000);
    await think(turn, "**Comparing the dates**\n\nBoth are in May.");
    look(1_000);
    await turn.emit({ type: "item.started", itemId: "m", itemType: "message" });
    look(1_000);
    await turn.emit({ type: "text.delta", itemId: "m", delta: "Yes." });
    look(10_000);
    return turn.result();
  };
  t.match(await runInProcess(ask, context), { code: 0 });
  t.strictSame(lines, [
    "2 s · starting Codex",
    "3 s · waiting in the queue",
    "4 s · starting",
    "1 min 0 s · waiting for the model",
    "1 min 5 s · reasoning",
    "1 min 6 s · reasoning: Comparing the dates Both are in May.",
    "1 min 7 s · answering",
    "Yes.",
  ]);
  t.equal(terminal.screen, `${note}\nYes.\n`);
  t.equal(clock.running, 0, "nothing ticks on");
});

t.test("a decision is followed too", async (t) => {
  const { terminal, clock, runtime, context } = prepare();
  let line = "";
  runtime.script = async (turn) => {
    turn.start();
    await think(turn, "A statement.");
    clock.advance(3_000);
    line = terminal.line;
    await turn.emitText("m", [JSON.stringify(answersFor(turn.request.outputSchema ?? {}))]);
    return turn.result();
  };
  await runInProcess(decide, context);
  t.equal(line, "3 s · reasoning: A statement.");
  t.notMatch(terminal.screen, /reasoning/);
});

t.test("an answer that comes at once shows no line", async (t) => {
  const { terminal, runtime, context } = prepare();
  runtime.script = async (turn) => {
    turn.start();
    await turn.emitText("m", ["Yes."]);
    return turn.result();
  };
  await runInProcess(ask, context);
  t.equal(terminal.written, `${note}\nYes.\n`);
});

t.test(
  "without a terminal that rewrites lines, and where it is not wanted, nothing is written",
  async (t) => {
    for (const [argv, overrides] of [
      [ask, { stderr: new TextSink() }],
      [decide, { stderr: new TextSink() }],
      [ask, { env: { TERM: "dumb" } }],
      [[...ask, "--quiet"], {}],
      [[...decide, "--quiet"], {}],
      [[...decide, "--json"], {}],
    ] as const) {
      const { terminal, clock, runtime, context } = prepare();
      runtime.script = async (turn) => {
        turn.start();
        await think(turn, "Hm.");
        clock.advance(60_000);
        throw failure("turn_stalled");
      };
      const stderr = new TextSink();
      const writes = { ...context, stdout: stderr, ...overrides };
      t.equal((await runInProcess(argv, writes)).code, 1);
      const text = terminal.written + stderr.text;
      t.notMatch(text, /reasoning|\r/, argv.join(" "));
      t.equal(clock.running, 0);
      t.equal(runtime.turns[0]?.request.summary, undefined, "no summary is asked for");
    }
  },
);

t.test("a summary is asked for where it is shown, and only of a ChatGPT login", async (t) => {
  for (const [authMode, summary] of [
    ["chatgpt", "auto"],
    ["apiKey", undefined],
  ] as const) {
    const { runtime, context } = prepare();
    const { account } = readyHealth;
    runtime.currentHealth = { ...readyHealth, account: account && { ...account, authMode } };
    await runInProcess([...ask, "--effort", "low"], context);
    t.match(runtime.turns[0]?.request, { effort: "low" });
    t.equal(runtime.turns[0]?.request.summary, summary, authMode);
  }
});

t.test("NO_COLOR keeps the line, and leaves out its colour", async (t) => {
  for (const [env, coloured] of [
    [{}, true],
    [{ NO_COLOR: "1" }, false],
  ] as const) {
    const { terminal, clock, runtime, context } = prepare();
    runtime.script = async (turn) => {
      clock.advance(1_000);
      return turn.result();
    };
    await runInProcess(ask, { ...context, env });
    t.match(terminal.written, /1 s · waiting/);
    t.equal(terminal.written.includes("\u001b[2m"), coloured);
  }
});

t.test("no line is wider than the terminal, whatever the summary is written in", async (t) => {
  for (const words of [
    "word ".repeat(400),
    "思考".repeat(300),
    "👩‍💻🎉".repeat(200),
    "x".repeat(900),
    "é\u0301".repeat(400),
  ]) {
    for (const columns of [10, 40, 200]) {
      const { terminal, clock, runtime, context } = prepare(columns);
      runtime.script = async (turn) => {
        await think(turn, words);
        clock.advance(1_000);
        return turn.result();
      };
      await runInProcess(ask, { ...context, stdout: new TextSink(), env: {} });
      const [, ...drawn] = terminal.written.split("\r");
      for (const line of drawn) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: the line's own sequences.
        const shown = line.replace(/\u001b\[\d?[mK]/g, "");
        t.ok(cellsOf(shown) < columns, shown);
      }
    }
  }
});

t.test(
  "control characters, bidi controls and half characters of a summary do not reach the terminal",
  async (t) => {
    const { terminal, clock, runtime, context } = prepare();
    let line = "";
    runtime.script = async (turn) => {
      await think(turn, "a\u001b]0;title\u0007b\u009b2Jc\u202Ed\ud83d\u2028e\r\nf\tg");
      clock.advance(1_000);
      line = terminal.line;
      return turn.result();
    };
    await runInProcess(ask, context);
    t.equal(line, "1 s · reasoning: a\uFFFD]0;title\uFFFDb\uFFFD2Jc\uFFFDd\uFFFD e f g");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the line's own sequences.
    const foreign = terminal.written.replace(/\r|\n|\u001b\[\d?[mK]/g, "");
    t.notMatch(foreign, /\p{Cc}/u);
  },
);

t.test("an error stands on a line of its own", async (t) => {
  const { terminal, clock, runtime, context } = prepare();
  runtime.script = async (turn) => {
    turn.start();
    clock.advance(1_000);
    throw failure("turn_stalled");
  };
  await runInProcess(ask, context);
  t.equal(terminal.screen, `${note}\ncodex-native-api: failed with turn_stalled (turn_stalled)\n`);
});

t.test("Ctrl-C removes the line at once", async (t) => {
  const { terminal, clock, runtime, context } = prepare();
  const events = new FakeProcessEvents();
  let line = "";
  runtime.script = async (turn) => {
    turn.start();
    clock.advance(1_000);
    events.signal("SIGINT");
    clock.advance(1_000);
    line = terminal.line;
    await turn.aborted();
    return turn.result("cancelled");
  };
  t.match(await runInProcess(ask, { ...context, events }), { code: 130 });
  t.equal(line, "");
  t.equal(terminal.screen, `${note}\n`);
});

/** Follows a request on a service that answers so, one answer a second. */
async function follow(answers: readonly (ServiceAnswer | Error)[]) {
  const clock = new FakeClock();
  const stages: AskStage[] = [];
  const paths: string[] = [];
  const client = {
    get: async (path: string) => {
      const answer = answers[paths.length] ?? { status: 404, body: {} };
      paths.push(path);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const progress = { ...noProgress, enter: (stage: AskStage) => void stages.push(stage) };
  const stop = watchRequest(client, "req_1", clock, progress);
  for (let second = 0; second <= answers.length + 2; second++) {
    clock.advance(1_000);
    await nextRound();
  }
  stop();
  return { stages, paths, running: clock.running };
}

function entry(state: string, turnStartedMs: number | null, firstOutputMs: number | null): ServiceAnswer {
  const timings = { admitted_ms: 1, turn_started_ms: turnStartedMs, first_output_ms: firstOutputMs };
  return { status: 200, body: { object: "request", id: "req_1", state, timings } };
}

t.test("a question to the running service is followed by its request log, then by its events", async (t) => {
  const { port, runtime } = await serveFake(t);
  for (const command of ["ask", "decide"] as const) {
    const { terminal, clock, context } = prepare();
    const until = (line: RegExp) =>
      pollUntil(() => {
        clock.advance(1_000);
        return line.test(terminal.line);
      });
    runtime.script = async (turn) => {
      await until(/ · waiting in the queue$/);
      turn.admit();
      await until(/ · starting$/);
      turn.start();
      await until(/ · waiting for the model$/);
      await think(turn, "Both are in May.");
      await until(command === "ask" ? / · reasoning: Both are in May\.$/ : / · the model is at work$/);
      const { outputSchema } = turn.request;
      await turn.emitText("m", [
        outputSchema === undefined ? "Yes." : JSON.stringify(answersFor(outputSchema)),
      ]);
      return turn.result();
    };
    const flags = command === "ask" ? [] : ["--predicate", "It is."];
    t.match(await runInProcess([command, "--port", String(port), ...flags, "Hello?"], context), { code: 0 });
    t.equal(terminal.screen, command === "ask" ? "Yes.\n" : "0.75\n");
    t.equal(runtime.turns.at(-1)?.request.summary, command === "ask" ? "auto" : undefined);
    t.equal(clock.running, 0);
  }
});

t.test("the service's request log says where a request stands, before it is answered", async (t) => {
  const { stages, paths, running } = await follow([
    entry("waiting", null, null),
    entry("running", null, null),
    new Error("no answer in time"),
    entry("running", 20, null),
    entry("running", 20, 30),
  ]);
  t.strictSame(stages, ["queued", "starting", "started", "working"]);
  t.equal(paths[0], "/v1/requests/req_1");
  t.equal(running, 0);
});

t.test("a service that keeps no such log is asked once", async (t) => {
  for (const body of [{ error: { code: "route_not_found" } }, null, { state: "dancing" }]) {
    const { stages, paths } = await follow([{ status: 404, body }]);
    t.strictSame(stages, []);
    t.equal(paths.length, 1);
  }
});

t.test("the end of a long text begins with a word", async (t) => {
  t.equal(lastCells("one two three", 40), "one two three");
  t.equal(lastCells("one two three", 8), "… three");
  t.equal(lastCells("unbreakable", 8), "… akable");
  t.equal(showOnOneLine(" a \n\n b "), " a b ");
});
