import t from "tap";
import { answerTo, choiceOf, faultOf, longChoice, predicate, scoreOf } from "../../../support/decisions.js";

const questions = [predicate, choiceOf("a", true), scoreOf("low", "mid", "high")];

t.test("an answer has OpenAI's fields and no others, native_api beside them", async (t) => {
  const output = { q001: 0.25, q002: { v00: 0.1, v01: 0.3 }, q003: { v00: 0, v01: 0.5, v02: 0.5 } };
  const { native_api: native, ...body } = answerTo(questions, output);
  t.strictSame(body, {
    model: "gpt-fake",
    answers: [
      { type: "predicate", name: "p", probability: 0.25 },
      {
        type: "choice",
        name: "c",
        choice: true,
        probabilities: [
          { value: "a", probability: 0.25 },
          { value: true, probability: 0.75 },
        ],
        confidence: 0.5,
      },
      {
        type: "score",
        name: "s",
        score: 1.5,
        probabilities: [
          { value: 0, label: "low", probability: 0 },
          { value: 1, label: "mid", probability: 0.5 },
          { value: 2, label: "high", probability: 0.5 },
        ],
        confidence: 0.25,
      },
    ],
    usage: {
      input_tokens: 11,
      input_tokens_details: { cached_tokens: 3, cache_write_tokens: 5 },
      output_tokens: 7,
      output_tokens_details: { reasoning_tokens: 2 },
      total_tokens: 18,
    },
    native_runtime: {
      thread_id: "thread_1",
      turn_id: "turn_1",
      bridge_session_id: "thread_1",
      provider_profile_id: "openai",
    },
  });
  t.match(native, { route_path: "/v1/decisions", decisions: { method: "stated" } });
});

t.test("a question is refused alone, and all are where the model refuses the request", async (t) => {
  const refused = answerTo(questions, { q001: "refused", q002: { v00: 1, v01: 0 }, q003: "refused" });
  t.strictSame(
    refused.answers.map(({ type, name }) => [type, name]),
    [
      ["refusal", "p"],
      ["choice", "c"],
      ["refusal", "s"],
    ],
  );
  t.strictSame(refused.answers[0], { type: "refusal", name: "p" });
  const message = { type: "message", content: [{ type: "refusal", refusal: "I cannot." }] };
  t.strictSame(
    answerTo(questions, message).answers.map(({ type }) => type),
    ["refusal", "refusal", "refusal"],
  );
});

t.test("names come back as they were given: none, equal ones and odd ones", async (t) => {
  const names = [undefined, "same", "same", "__proto__", "", "constructor", "q001\n\u2028"];
  const asked = names.map((name) => ({ type: "predicate", instructions: "?", name }) as const);
  const output = Object.fromEntries(names.map((_, index) => [`q00${index + 1}`, index / 10]));
  t.strictSame(
    answerTo(asked, output).answers,
    names.map((name, index) => ({ type: "predicate", name: name ?? null, probability: index / 10 })),
  );
});

t.test(
  "of more than 32 values the model names the likeliest, and every value has a probability",
  async (t) => {
    const { answers } = answerTo([longChoice(255)], {
      q001: [
        { value: 254, probability: 0.5 },
        { value: 3, probability: 0.25 },
      ],
    });
    const [answer] = answers;
    if (answer?.type !== "choice") throw new Error("no choice");
    t.equal(answer.choice, "value 254");
    t.equal(answer.probabilities.length, 255);
    t.equal(answer.probabilities[3]?.probability.toFixed(6), "0.250000");
    t.equal(answer.probabilities[0]?.probability.toFixed(6), (0.25 / 253).toFixed(6));
    t.equal(
      answer.probabilities.reduce((sum, { probability }) => sum + probability, 0),
      1,
    );
    const each = Object.fromEntries(
      Array.from({ length: 32 }, (_, at) => [`v${String(at).padStart(2, "0")}`, at === 7 ? 1 : 0]),
    );
    t.match(answerTo([longChoice(32)], { q001: each }).answers[0], { choice: "value 7", confidence: 1 });
  },
);

t.test("what breaks the schema or a bound is invalid_model_output", async (t) => {
  const good = { q001: 0.5, q002: { v00: 1, v01: 0 }, q003: { v00: 1, v01: 0, v02: 0 } };
  const likeliest = [longChoice(40)];
  const cases: readonly (readonly [unknown, string, typeof questions?])[] = [
    ["", "no JSON object"],
    ["I think so.", "no JSON object"],
    ["[]", "no JSON object"],
    ['{"q001": 0.5', "no JSON object"],
    [{ q001: 0.5 }, "lacks q002"],
    [{ ...good, q004: 1 }, "not asked for"],
    [{ ...good, q001: 1.01 }, "q001"],
    [{ ...good, q001: -0.01 }, "q001"],
    [{ ...good, q001: "0.5" }, "q001"],
    [{ ...good, q001: null }, "q001"],
    ['{"q001": 1e999, "q002": {"v00": 1, "v01": 0}, "q003": {"v00": 1, "v01": 0, "v02": 0}}', "q001"],
    [{ ...good, q001: "Refused" }, "q001"],
    [{ ...good, q002: { v00: 1 } }, "q002 lacks v01"],
    [{ ...good, q002: { v00: 1, v01: 0, v02: 0 } }, "q002"],
    [{ ...good, q002: { v00: 0, v01: 0 } }, "q002 are 0"],
    [{ ...good, q002: [1, 0] }, "q002"],
    [{ ...good, q003: { v00: 1, v01: 0, v02: "x" } }, "q003.v02"],
    [{ q001: [] }, "q001", likeliest],
    [{ q001: [{ value: 40, probability: 1 }] }, "none of the values", likeliest],
    [{ q001: [{ value: -1, probability: 1 }] }, "none of the values", likeliest],
    [{ q001: [{ value: 0.5, probability: 1 }] }, "none of the values", likeliest],
    [{ q001: [{ value: "value 1", probability: 1 }] }, "none of the values", likeliest],
    [
      {
        q001: [
          { value: 1, probability: 1 },
          { value: 1, probability: 0 },
        ],
      },
      "twice",
      likeliest,
    ],
    [{ q001: Array.from({ length: 9 }, (_, value) => ({ value, probability: 0.1 })) }, "1 to 8", likeliest],
    [{ q001: [{ value: 1, probability: 0 }] }, "are 0", likeliest],
  ];
  for (const [output, said, asked = questions] of cases) {
    const [code, param, message] = faultOf(() => answerTo(asked, output));
    t.strictSame([code, param], ["invalid_model_output", null], message);
    t.ok(message.includes(said), `${message} has '${said}'`);
  }
  const withProto = '{"__proto__": 1, "q001": 0.5}';
  t.equal(faultOf(() => answerTo([predicate], withProto))[0], "invalid_model_output");
});

t.test("an answer that was cut, filtered or interrupted is no answer", async (t) => {
  const code = (outcome: Parameters<typeof answerTo>[2]) =>
    faultOf(() => answerTo([predicate], { q001: 1 }, outcome))[0];
  t.equal(code({ status: "incomplete", reason: "max_output_tokens" }), "invalid_model_output");
  t.equal(code({ status: "incomplete", reason: "content_filter" }), "content_policy_violation");
  t.equal(code({ status: "cancelled" }), "turn_cancelled");
});
