import t from "tap";
import { OutputSchemas } from "../../../src/main/side-tasks/output-schema.js";
import { prepareTask, type TaskDefaults } from "../../../src/main/side-tasks/prepare-task.js";
import { resolveTaskClasses } from "../../../src/main/side-tasks/resolve-task-classes.js";
import { takeRequest } from "../../../src/main/side-tasks/take-request.js";
import { defaultTaskClasses, sideTaskClasses } from "../../../src/main/side-tasks/task-classes.js";
import type { SideTaskRequest } from "../../../src/main/side-tasks/types.js";

const defaults: TaskDefaults = {
  classes: defaultTaskClasses,
  external: null,
  schemas: new OutputSchemas(8),
};

function prepare(request: Partial<SideTaskRequest>, more: Partial<TaskDefaults> = {}) {
  return prepareTask(takeRequest({ taskClass: "normalization", input: "text", ...request }), {
    ...defaults,
    ...more,
  });
}

t.test("each class has its own effort, time and hint", async (t) => {
  t.strictSame(
    sideTaskClasses.map((taskClass) => {
      const { timeoutMs, turn, instructions } = prepare({ taskClass });
      return [taskClass, turn.effort, timeoutMs, turn.verbosity ?? null, instructions !== null];
    }),
    [
      ["intent_classification", "low", 15_000, "low", true],
      ["normalization", "low", 20_000, "low", true],
      ["small_verification", "low", 30_000, "low", true],
      ["side_reasoning", "medium", 1_200_000, null, false],
    ],
  );
});

t.test("the host's configuration lies over the defaults, and the task over both", async (t) => {
  const schema = { type: "object", properties: {}, required: [], additionalProperties: false };
  const classes = resolveTaskClasses({
    normalization: { effort: null, timeoutMs: 5, model: "small", outputSchema: schema },
  });
  const configured = prepare({}, { classes });
  t.match(configured, { timeoutMs: 5, turn: { model: "small", outputSchema: schema }, instructions: null });
  t.equal(configured.turn.effort, undefined);
  t.not(configured.check, null);
  const own = prepare({ effort: "high", timeoutMs: 9, model: "large" }, { classes });
  t.match(own, { timeoutMs: 9, turn: { model: "large", effort: "high" } });
  t.strictSame(classes.side_reasoning, defaultTaskClasses.side_reasoning);
});

t.test("a schema that Codex cannot enforce is asked for in words on the direct route", async (t) => {
  const outputSchema = { type: "object", properties: { a: { type: "string" } } };
  const { turn, check } = prepare({ outputSchema });
  t.equal(turn.outputSchema, undefined);
  t.match(JSON.stringify(turn.directives), /valid by this JSON schema/);
  t.strictSame(check?.('{"a":"b"}'), { a: "b" });
});

t.test("metadata is in the request's and in no item of the turn", async (t) => {
  const { body, turn } = prepare({
    metadata: { eventMetadata: { mark: "e" }, threadMetadata: { mark: "t" } },
  });
  t.match(body.metadata, { codexbridge: { eventMetadata: { mark: "e" }, threadMetadata: { mark: "t" } } });
  t.notMatch(JSON.stringify(turn), /mark/);
});

t.test("what no route could run is refused, with the field at fault", async (t) => {
  const refused: readonly (readonly [object, string | null])[] = [
    [{ taskClass: "poetry" }, "taskClass"],
    [{ input: [] }, "input"],
    [{ input: undefined }, "input"],
    [{ input: [{ type: "poem" }] }, "input[0]"],
    [{ input: [{ type: "item_reference", id: "x" }] }, "input[0]"],
    [{ input: [{ role: "user", content: [{ type: "input_text" }] }] }, "input[0].content[0].text"],
    [{ instructions: 7 }, "instructions"],
    [{ model: "" }, "model"],
    [{ timeoutMs: 0 }, "timeoutMs"],
    [{ timeoutMs: 1.5 }, "timeoutMs"],
    [{ outputSchema: { type: "no-such-type" } }, "outputSchema"],
    [{ metadata: { eventMetadata: "text" } }, "metadata.codexbridge"],
    [{ fallback: { baseUrl: "ftp://x", apiKey: null, model: "m" } }, "fallback.baseUrl"],
    [{ fallback: { baseUrl: "https://x", apiKey: "two words", model: "m" } }, "fallback.apiKey"],
    [{ fallback: { baseUrl: "https://x", apiKey: null, model: "" } }, "fallback.model"],
  ];
  for (const [request, param] of refused) {
    t.throws(() => prepare(request), { code: "bad_request" }, JSON.stringify(request));
    try {
      prepare(request);
    } catch (error) {
      const told = error instanceof Error && "param" in error ? String(error.param) : "";
      t.ok(told.startsWith(param ?? ""), `${told} for ${JSON.stringify(request)}`);
    }
  }
});

t.test("what JSON has no form for is the task's fault, with its path", async (t) => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const getter = Object.defineProperty({}, "bad", {
    enumerable: true,
    get: () => {
      throw new Error("thrown by the host's object");
    },
  });
  for (const bad of [{ bad: 1n }, { bad: () => 1 }, { bad: Symbol("no") }, { bad: circle }, getter]) {
    for (const [field, task] of [
      ["input", { input: [bad] }],
      ["outputSchema", { outputSchema: bad }],
      ["metadata", { metadata: { eventMetadata: bad } }],
    ] as const) {
      t.throws(
        () => prepare(task),
        { code: "bad_request", param: new RegExp(`^${field}.*\\bbad\\b`) },
        field,
      );
    }
  }
  const unreadable = Object.defineProperty({ taskClass: "normalization", input: "" } as const, "input", {
    get: () => {
      throw new Error("thrown by the host's object");
    },
  });
  t.throws(() => takeRequest(unreadable), { code: "bad_request" });
});
