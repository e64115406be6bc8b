import t from "tap";
import { runScenarios } from "../../../bench/run-scenarios.js";
import type { Scenario, ScenarioContext } from "../../../bench/scenarios/scenario.js";

function scenario(name: string, run: Scenario["run"], seconds = 60): Scenario {
  return { name, title: name, quickSeconds: seconds, fullSeconds: seconds, run };
}

function runAll(scenarios: readonly Scenario[], budgetMs = 60_000, interrupted = new AbortController()) {
  return runScenarios({
    scenarios,
    quick: true,
    budgetMs,
    interrupted: interrupted.signal,
    say: () => undefined,
    onScenario: () => undefined,
  });
}

const nothing = async () => ({ figures: [], details: null, remarks: [] });

t.test("what a scenario started is ended, last first, and what cannot be ended is named", async (t) => {
  const ended: string[] = [];
  const [record] = await runAll([
    scenario("one", async ({ resources }: ScenarioContext) => {
      await resources.defer("first", () => ended.push("first"));
      await resources.defer("second", () => {
        throw new Error("it clings");
      });
      await resources.defer("third", () => ended.push("third"));
      return nothing();
    }),
  ]);
  t.strictSame(ended, ["third", "first"]);
  t.strictSame(record?.leftovers, ["second: it clings"]);
});

t.test("a scenario that fails costs its own figures and nothing else", async (t) => {
  const records = await runAll([
    scenario("broken", async () => {
      throw new Error("no backend");
    }),
    scenario("next", nothing),
  ]);
  t.strictSame(
    records.map(({ outcome }) => outcome.status),
    ["failed", "done"],
  );
});

t.test("a scenario that hangs is given up at twice its planned time, and ended", async (t) => {
  let ended = false;
  const hang = async ({ resources }: ScenarioContext) => {
    await resources.defer("it", () => {
      ended = true;
    });
    return new Promise<never>(() => undefined);
  };
  const [record] = await runAll([scenario("hanging", hang, 0.05)]);
  t.strictSame(record?.outcome, { status: "failed", reason: "it was given up: out of time" });
  t.equal(ended, true);
});

t.test("what the budget has no time for is skipped by name", async (t) => {
  const [record] = await runAll([scenario("late", nothing)], 0);
  t.strictSame(record?.outcome, { status: "skipped", reason: "the run was out of time" });
});

t.test("after an interruption nothing more is run", async (t) => {
  const interrupted = new AbortController();
  const interrupt = async () => {
    interrupted.abort(new Error("Ctrl-C"));
    return new Promise<never>(() => undefined);
  };
  const records = await runAll([scenario("one", interrupt), scenario("two", nothing)], 60_000, interrupted);
  t.strictSame(
    records.map(({ name, outcome }) => [name, outcome.status]),
    [["one", "failed"]],
  );
});
